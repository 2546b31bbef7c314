"""Run a MicroVM from its image's build to its end: its processes and its traffic.

No process can be restored from a snapshot here, so the processes that the image is
built with are the MicroVM's as well. In order: ``ready`` until it returns 200, then
``validate`` and ``run``; then traffic passes. Suspending sends SIGSTOP to every process
and closes the connections through the endpoint; the next connection resumes the
MicroVM, as with ``autoResumeEnabled``:
https://docs.aws.amazon.com/lambda/latest/microvm-api/API_IdlePolicy.html
"""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import trio

from lambda_adapter.local import ports
from lambda_adapter.local.adapter_process import GRACE, AdapterProcess
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.microvm.hook_rows import HookRows
from lambda_adapter.local.options import Options
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.report import Report

State = Literal["building", "running", "suspended", "terminated"]


FATAL = frozenset({"ready", "validate", "run", "resume"})
"""Hooks whose failure ends the MicroVM."""


class WrongStateError(Exception):
    """The MicroVM's state does not allow this."""


class MicroVM:
    """A MicroVM: its processes, its state and its traffic."""

    def __init__(self, options: Options, report: Report) -> None:
        self.options = options
        self.id = f"microvm-{uuid.uuid4()}"
        self.state: State = "building"
        self.ended = trio.Event()
        self.problem: SetupError | None = None
        """Why it ended, unless it was terminated."""
        self._adapter = AdapterProcess(lambda line: self.rows.keep_line(line))
        self.rows = HookRows(options, report, self._adapter.measure, self.ended)
        self._scope = trio.CancelScope()
        self._lock = trio.Lock()
        self._search = trio.CancelScope()
        self._gate = trio.Event()
        self._passing: dict[trio.CancelScope, trio.Event] = {}
        """What cancels each connection, and what is set once it is closed."""

    async def run(self) -> None:
        """Run the image's command, until that ends or this is cancelled."""
        config = self.options.config
        try:
            with self._scope:
                if ports.is_local(config):
                    await ports.wait_free(config.port)
                await self._run_command()
        except SetupError as problem:
            self.problem = problem
        finally:
            self.state = "terminated"
            self._gate.set()  # connections that wait find out that it has ended
            self.ended.set()

    async def _run_command(self) -> None:
        options = self.options
        async with trio.open_nursery() as nursery:
            status = await self._adapter.run(
                options.command,
                options.environ,
                options.cwd,
                lambda pid: nursery.start_soon(self._find_misplaced, pid),
            )
            nursery.cancel_scope.cancel()
        if self.state != "terminated":
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
            self._give_up(f"the application ended with {how}, which ends the MicroVM")

    async def _find_misplaced(self, pid: int) -> None:
        """Give up if the application listens on another port, until it is ready."""
        config = self.options.config
        hooks = config.microvm_hooks_port or 0
        if ports.is_local(config):
            with self._search:
                found = await ports.find_misplaced(pid, config.port, hooks)
                self._give_up(str(found))

    def _give_up(self, why: str) -> None:
        self.problem = self.problem or SetupError(why)
        self._scope.cancel()

    async def start(self) -> None:
        """Build the image and run it as a MicroVM; then traffic passes.

        Raises:
            SetupError: it can't be built or run; the message has the reason.
        """
        payload = self.options.payload
        async with self._lock:
            await self._call("ready")
            self._search.cancel()
            await self._call("validate")
            await self._call("run", payload)
            self._let_pass()

    async def suspend(self) -> Invocation:
        """Call ``suspend``, stop every process, and close connections to the outside.

        Raises:
            WrongStateError: it is not running.
        """
        async with self._lock:
            self._expect("running")
            self._gate = trio.Event()
            row = await self._call("suspend")
            self.state = "suspended"
            self._adapter.freeze()
            await self._close_connections()
            return row

    async def resume(self) -> Invocation:
        """Let every process continue, and call ``resume``; then traffic passes again.

        Raises:
            WrongStateError: it is not suspended.
            SetupError: the hook failed.
        """
        async with self._lock:
            self._expect("suspended")
            return await self._resume()

    async def terminate(self, seconds: float | None = None) -> Invocation:
        """Call ``terminate``, and end the remaining processes.

        A suspended MicroVM is continued for that.

        Raises:
            WrongStateError: it has ended.
        """
        async with self._lock:
            self._expect("running", "suspended")
            if self.state == "suspended":
                self._adapter.thaw()
            self.state = "terminated"
            row = await self._call("terminate", seconds=seconds)
            self._scope.cancel()
            await self.ended.wait()
            return row

    async def close(self) -> None:
        """End it as Lambda ends a running MicroVM."""
        if self.state in {"running", "suspended"}:
            await self.terminate(GRACE)
        self._scope.cancel()
        await self.ended.wait()

    @asynccontextmanager
    async def passing(self, stream: trio.SocketStream) -> AsyncIterator[None]:
        """Allow a connection to pass; a suspension cancels the block, and closes it."""
        with trio.CancelScope() as scope:
            closed = self._passing[scope] = trio.Event()
            try:
                yield
            finally:
                del self._passing[scope]
                if scope.cancel_called:
                    stream.socket.close()  # its task is cancelled: nothing to wait for
                closed.set()

    async def _close_connections(self) -> None:
        passing = list(self._passing.items())
        for scope, _ in passing:
            scope.cancel()
        for _, closed in passing:
            await closed.wait()

    async def admit(self) -> bool:
        """Wait until traffic may pass, resuming if suspended; return whether it may."""
        while self.state in {"building", "running", "suspended"}:
            if self._gate.is_set():
                return True
            async with self._lock:
                if self.state == "suspended":
                    await self._resume()
            await self._gate.wait()
        return False

    async def _resume(self) -> Invocation:
        self._adapter.thaw()
        row = await self._call("resume")
        self._let_pass()
        return row

    def _let_pass(self) -> None:
        self.state = "running"
        self._gate.set()

    def _expect(self, *states: State) -> None:
        if self.state not in states:
            raise WrongStateError(f"the MicroVM is {self.state}")

    async def _call(
        self, name: str, payload: str | None = None, seconds: float | None = None
    ) -> Invocation:
        """Call a hook, and return its row.

        Raises:
            SetupError: the hook failed, which ends the MicroVM.
        """
        said = {"microvmId": self.id}
        if payload is not None:
            said["runHookPayload"] = payload
        row, failure = await self.rows.call(name, json.dumps(said).encode(), seconds)
        if failure and name in FATAL:
            self._give_up(f"{name}: {failure}")
            await self.ended.wait()
            raise self.problem or SetupError(failure)
        return row
