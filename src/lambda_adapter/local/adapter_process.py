"""Run the adapter as a process of `local`: its start, its log and its end."""

import contextlib
import fcntl
import math
import os
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import trio

from lambda_adapter.launcher import tie_group
from lambda_adapter.local import processes
from lambda_adapter.local.debugging import (
    debugged,
    debugged_adapter,
    profiled,
    profiled_adapter,
)
from lambda_adapter.local.sandbox.jail import Jail
from lambda_adapter.settings import RUNTIME_API


@contextmanager
def kill_with_parent(group: int) -> Iterator[None]:
    """Kill a process group when this process ends, or the context is left."""
    lifeline = os.pipe()
    tie_group(group, lifeline)
    try:
        yield
    finally:
        for end in lifeline:
            os.close(end)


MAX_LINE = 16_384
"""Longest line in bytes; a longer one is split."""


PROMPT = 0.1
"""Seconds after which an incomplete line is taken for a prompt, such as pdb's."""


class AdapterLog:
    """Reads the lines that the adapter and its application write to a pipe."""

    def __init__(
        self,
        pipe: trio.lowlevel.FdStream,
        on_line: Callable[[str], None],
        *,
        has_prompts: bool = False,
    ) -> None:
        self._pipe = pipe
        self._has_prompts = has_prompts
        self._on_line = on_line
        self._rest = b""

    async def run(self) -> None:
        """Read until every writer has closed it, then close it."""
        async with self._pipe:
            while data := await self._receive():
                self._take(data)
        if self._rest:
            self._tell(self._rest)

    async def _receive(self) -> bytes:
        """Return the next bytes; an incomplete line that none follow is a prompt."""
        with trio.move_on_after(PROMPT) as waiting:
            if not (self._has_prompts and self._rest):
                waiting.deadline = math.inf
            return bytes(await self._pipe.receive_some())
        self._tell(self._rest)
        self._rest = b""
        return bytes(await self._pipe.receive_some())

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
        while len(self._rest) > MAX_LINE:
            self._tell(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]

    def _tell(self, line: bytes) -> None:
        self._on_line(line.rstrip(b"\r").decode("utf-8", "replace"))

    def unread(self) -> int:
        """Return the number of bytes in the pipe that are not read yet.

        https://man7.org/linux/man-pages/man2/FIONREAD.2const.html
        """
        try:
            said = fcntl.ioctl(self._pipe.fileno(), termios.FIONREAD, bytes(4))
        except (OSError, ValueError):  # closed
            return 0
        (count,) = struct.unpack("i", said)
        return int(count)


ADAPTER = (sys.executable, "-P", "-m", "lambda_adapter")
"""The adapter's command; ``-P`` keeps it from importing the application's modules."""

GRACE = 2.5
"""Seconds from SIGTERM to SIGKILL. The adapter gives its application 2 s of that
(``app.process.GRACE_LOCALLY``)."""

DEATH = 5.0
"""Generous upper bound, in seconds, for killed processes to end."""

STDIN = 0

SETTLE = 0.05
"""Seconds to read output that was written before the end."""


class AdapterProcess:
    """The adapter's process tree and its output."""

    def __init__(
        self,
        on_line: Callable[[str], None],
        jail: Jail | None = None,
        debug: int | None = None,
        profile_socket: str = "",
    ) -> None:
        self._debug = debug
        self._profile_socket = profile_socket
        self._on_line = on_line
        self._jail = jail
        self._log: AdapterLog | None = None
        self._log_scope = trio.CancelScope(shield=True)
        self.pid: int | None = None

    async def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: str | None,
        started: Callable[[int], None],
    ) -> int:
        """Run until it exits; return the exit status. Cancelling ends the whole tree.

        ``started`` is called with the pid.
        """
        process = await self._open(command, environ, cwd)
        async with trio.open_nursery() as nursery:
            # Around all that waits: if `local` itself is killed, nothing is left over.
            with kill_with_parent(process.pid):
                try:
                    nursery.start_soon(self._keep_log, process)
                    if process.stdin:
                        nursery.start_soon(_forward_stdin, process.stdin)
                    if self._jail:
                        await trio.to_thread.run_sync(self._jail.attach, process.pid)
                    started(process.pid)
                    status = await process.wait()
                    nursery.cancel_scope.cancel()
                    return status
                finally:
                    await self._close(process, environ.get(RUNTIME_API, ""))

    async def _open(
        self, command: Sequence[str], environ: Mapping[str, str], cwd: str | None
    ) -> trio.Process:
        words = self._words(command, environ)
        process = await trio.lowlevel.open_process(
            self._jail.wrap(words) if self._jail else words,
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL if self._debug is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # The terminal's ^C goes to a process group. `local` gets it alone, and then
            # ends the adapter as Lambda does.
            process_group=0,
            pass_fds=self._jail.passed if self._jail else (),
        )
        self.pid = process.pid
        return process

    async def _close(self, process: trio.Process, runtime_api: str) -> None:
        # Shielded: it runs because of a cancellation, and takes up to GRACE.
        with trio.CancelScope(shield=True):
            if self._jail:
                # Processes that the jail has stopped could not act on SIGTERM.
                self._jail.let_end()
            await _stop(process, runtime_api)
            if self._jail:
                await trio.to_thread.run_sync(self._jail.close)
        self._log_scope.deadline = trio.current_time() + SETTLE

    def _words(self, command: Sequence[str], environ: Mapping[str, str]) -> list[str]:
        """Return the adapter's command line, with what runs before the app in it."""
        if self._profile_socket:
            if not command:
                return [*profiled_adapter(self._profile_socket)]
            return [*ADAPTER, *profiled(command, environ, self._profile_socket)]
        if self._debug is None:
            return [*ADAPTER, *command]
        if not command:
            return [*debugged_adapter(self._debug)]
        return [*ADAPTER, *debugged(command, environ, self._debug)]

    async def measure(self) -> int:
        """Read all output so far, and return the memory in use in MB."""
        with trio.move_on_after(SETTLE):
            while self._log and self._log.unread():
                await trio.lowlevel.checkpoint()
        if self._jail and self._jail.governor:  # it has weighed them already
            return self._jail.governor.peak_bytes // 1_048_576
        return await trio.to_thread.run_sync(_tree_memory, self.pid) if self.pid else 0

    def freeze(self) -> None:
        """Stop every process."""
        if self._jail and self._jail.governor:
            self._jail.governor.freeze()
        else:
            self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let every process continue."""
        if self._jail and self._jail.governor:
            self._jail.governor.thaw()
        else:
            self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.pid:
            processes.send(processes.tree(self.pid), number)

    async def _keep_log(self, process: trio.Process) -> None:
        # Its scope outlasts the nursery's, so that the last lines are not lost.
        with self._log_scope:
            if isinstance(process.stdout, trio.lowlevel.FdStream):
                self._log = AdapterLog(
                    process.stdout,
                    self._on_line,
                    has_prompts=self._debug is not None,
                )
                await self._log.run()


async def _stop(process: trio.Process, runtime_api: str) -> None:
    """End the adapter as Lambda does, then the rest of its process tree."""
    everyone = await trio.to_thread.run_sync(processes.tree, process.pid)
    if process.poll() is None:
        processes.send(everyone, signal.SIGCONT)
        process.terminate()
        with trio.move_on_after(GRACE):
            await process.wait()
    # A daemon has left the tree, but it has the variable that no other environment has.
    find = partial(processes.strays, RUNTIME_API, runtime_api)
    everyone += await trio.to_thread.run_sync(find)
    await trio.to_thread.run_sync(processes.kill, everyone, DEATH)
    await process.wait()


async def _forward_stdin(target: trio.abc.SendStream) -> None:
    """Forward what is typed, for ``breakpoint()``, until stdin ends."""
    async with target:
        with contextlib.suppress(OSError, trio.BrokenResourceError):
            while True:
                await trio.lowlevel.wait_readable(STDIN)
                if not (data := os.read(STDIN, 4096)):
                    return
                await target.send_all(data)


def _tree_memory(pid: int) -> int:
    return processes.memory_mb(processes.tree(pid))
