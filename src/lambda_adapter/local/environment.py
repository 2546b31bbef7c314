"""Run one execution environment from its init to its end, with the real adapter.

Each has its own Runtime API on its own port. So ending an environment is a
cancellation, and a late request of an old runtime can't reach a new environment.
"""

import contextlib
import math
import time
from collections.abc import Callable

import trio

from lambda_adapter.local import ports
from lambda_adapter.local.adapter_process import AdapterProcess
from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.local.options import Options
from lambda_adapter.local.runtime_api import RuntimeApi
from lambda_adapter.local.sandbox.attempts import Write
from lambda_adapter.local.sandbox.jail import Jail

TIMED_OUT = "Sandbox.Timedout"


class EndedError(Exception):
    """The environment ended. ``problem`` is set if the user must solve one."""

    def __init__(self, failure: Failure, problem: ports.SetupError | None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.problem = problem


class Environment:
    """An environment whose application listens on ``port``."""

    def __init__(
        self,
        options: Options,
        port: int,
        init_timeout: float,
        on_line: Callable[[str], None],
    ) -> None:
        self._options = options
        self._config = options.config
        self._port = port
        self._init_timeout = init_timeout
        self._on_line = on_line
        self.jail = _jail_of(options)
        self._adapter = AdapterProcess(
            self._tell, self.jail, options.debug, options.profile_socket
        )
        self.adapter = self._adapter
        freeze, thaw = self._adapter.freeze, self._adapter.thaw
        changes = (freeze, thaw) if options.freeze else ()
        self._api = RuntimeApi(options, *changes)
        self.runtime_port = 0
        """Where its Runtime API listens, once it does."""
        self._scope = trio.CancelScope()
        # Outlasts the environment's own scope, so that the adapter can end in order.
        self._api_scope = trio.CancelScope(shield=True)
        self._initialised = trio.Event()
        self._ended = trio.Event()
        self._failure: Failure | None = None
        self._problem: ports.SetupError | None = None
        self._serving: set[Invocation] = set()
        self._last: Invocation | None = None
        self.init_ms: float | None = None
        """Duration of the init, once it has ended; billed with the first invocation."""

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    async def wait_initialised(self) -> None:
        """Wait until it can serve an event.

        Raises:
            EndedError: it has ended instead.
        """
        await self._initialised.wait()
        if self._ended.is_set():
            failure = self._failure or Failure("Runtime.ExitError", "it was ended")
            raise EndedError(failure, self._problem)

    async def serve(self, invocation: Invocation) -> bool:
        """Serve an event; return whether the environment can serve another."""
        if self._ended.is_set():
            self._abandon(invocation)
            return False
        # Lambda bills an init with the first invocation after it.
        invocation.init_ms, self.init_ms = self.init_ms, None
        self._last = invocation
        self._serving.add(invocation)
        self._api.put(invocation)
        timeout = math.inf if self._options.is_debugged else self._options.timeout
        with trio.move_on_after(timeout) as limit:
            await invocation.over.wait()
        self._serving.discard(invocation)
        if limit.cancelled_caught:
            said = f"Task timed out after {self._options.timeout:.2f} seconds"
            message = f"RequestId: {invocation.request_id} Error: {said}"
            invocation.fail(Failure(TIMED_OUT, message))
            invocation.finish()
        return not limit.cancelled_caught and self.alive

    async def measure(self, invocation: Invocation) -> None:
        """Read an invocation's last output, and record the environment's memory."""
        invocation.memory_mb = await self._adapter.measure()

    async def end(self) -> None:
        """End it, and wait until its whole process tree is gone."""
        self._scope.cancel()
        await self._ended.wait()

    async def run(self) -> None:
        """Run the adapter and its Runtime API until either ends."""
        try:
            with self._scope:
                if ports.is_local(self._config):
                    # The application of the environment before may still hold it.
                    await ports.wait_free(self._port)
                await self._live()
        except ports.SetupError as problem:
            self._give_up(problem)
        finally:
            self._ended.set()
            self._initialised.set()
            for invocation in list(self._serving):
                self._abandon(invocation)

    def _watch_writes(self, jail: Jail) -> None:
        """Log each write that Lambda would refuse."""
        token = trio.lowlevel.current_trio_token()

        def tell(write: Write) -> None:
            line = f"sandbox  {write.by} wrote {write.path}: read-only on Lambda"
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(self._tell, f"{line}: write to /tmp")

        jail.attempts.on_write = tell

    async def _live(self) -> None:
        if self.jail:
            self._watch_writes(self.jail)
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.runtime_port = listeners[0].socket.getsockname()[1]
        address = f"127.0.0.1:{self.runtime_port}"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve_api, listeners)
            try:
                environ = self._options.environ_of(self._port, address)
                status = await self._adapter.run(
                    self._options.command,
                    self.jail.adapt(environ) if self.jail else environ,
                    self._options.cwd,
                    lambda pid: nursery.start_soon(self._init, pid),
                )
                self._note_exit(status)
            finally:
                self._api_scope.cancel()
            nursery.cancel_scope.cancel()

    async def _init(self, pid: int) -> None:
        """Wait for the runtime's first request for an event, and check the ports.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
        """
        began = time.monotonic()
        if self.jail:
            self._on_line(self.jail.described)
        timeout = math.inf if self._options.is_debugged else self._init_timeout
        with trio.move_on_after(timeout) as limit:
            async with trio.open_nursery() as nursery:
                # A debugger listens too, on a port that is not the application's.
                if ports.is_local(self._config) and not self._options.is_debugged:
                    nursery.start_soon(self._find_misplaced, pid)
                await self._api.asked.wait()
                if self.jail:
                    self.jail.ready()
                nursery.cancel_scope.cancel()
        self.init_ms = (time.monotonic() - began) * 1000
        if limit.cancelled_caught:
            said = f"Init timed out after {self._init_timeout:.2f} seconds"
            self._failure = Failure(TIMED_OUT, said)
            self._scope.cancel()
            return
        if problem := await self._find_foreigner(pid):
            self._give_up(problem)
            return
        self._initialised.set()

    async def _find_misplaced(self, pid: int) -> None:
        self._give_up(await ports.find_misplaced(pid, self._port))

    async def _find_foreigner(self, pid: int) -> ports.SetupError | None:
        if not ports.is_local(self._config) or self._config.inits_async:
            return None
        return await ports.find_foreigner(pid, self._port)

    def _give_up(self, problem: ports.SetupError) -> None:
        self._problem = problem
        self._failure = Failure("Runtime.ExitError", str(problem))
        self._scope.cancel()

    def _note_exit(self, status: int) -> None:
        how = f"signal: {-status}" if status < 0 else f"exit status {status}"
        said = f"Runtime exited with error: {how}"
        if killed := self.jail and self.jail.governor and self.jail.governor.killed:
            said += f"; {killed}: choose more with --memory, or use less"
        self._failure = self._api.init_failure or Failure("Runtime.ExitError", said)

    def _abandon(self, invocation: Invocation) -> None:
        """Fail an invocation that was interrupted by the environment's end."""
        failure = self._failure or Failure("Runtime.ExitError", "the environment ended")
        message = f"RequestId: {invocation.request_id} Error: {failure.message}"
        invocation.fail(Failure(failure.error_type, message))
        invocation.finish()

    async def _serve_api(self, listeners: list[trio.SocketListener]) -> None:
        with self._api_scope:
            await trio.serve_listeners(self._api.serve, listeners)

    def _tell(self, line: str) -> None:
        if self._last:
            self._last.add_line(line)
        self._on_line(line)


def _jail_of(options: Options) -> Jail | None:
    if not options.sandbox:
        return None
    return Jail(options.limits, options.command, options.environ, options.cwd)
