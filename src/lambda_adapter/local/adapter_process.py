"""The adapter and its application as a process tree, from start to end. Shell."""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

import trio

from lambda_adapter.local import processes
from lambda_adapter.local.lifeline import tied
from lambda_adapter.local.logs import Log

ADAPTER = (sys.executable, "-P", "-m", "lambda_adapter")
"""The adapter, as a command; ``-P`` keeps the application's modules out of it."""

GRACE = 0.6
"""Seconds from SIGTERM to SIGKILL. The adapter gives its application 0.4 s of them:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown"""

DEATH = 5.0
"""Seconds for killed processes to be gone, and plenty of them."""

SETTLE = 0.05
"""Seconds to read what was printed before."""


class AdapterProcess:
    """A process tree, and what it prints."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._log: Log | None = None
        self._log_scope = trio.CancelScope(shield=True)
        self.pid: int | None = None

    async def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: str | None,
        started: Callable[[int], None],
    ) -> int:
        """Run to the end, and return the exit status; cancelling ends the whole tree.

        ``started`` is called with the pid.
        """
        process = await trio.lowlevel.open_process(
            [*ADAPTER, *command],
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self.pid = process.pid
        async with trio.open_nursery() as nursery:
            with tied(process.pid):
                try:
                    nursery.start_soon(self._keep_log, process)
                    started(process.pid)
                    return await process.wait()
                finally:
                    with trio.CancelScope(shield=True):
                        await _stop(process)
                    self._log_scope.deadline = trio.current_time() + SETTLE

    async def measure(self) -> int:
        """Read what it printed so far, and return its memory in MB."""
        with trio.move_on_after(SETTLE):
            while self._log and self._log.unread():
                await trio.lowlevel.checkpoint()
        return await trio.to_thread.run_sync(_memory, self.pid) if self.pid else 0

    def freeze(self) -> None:
        """Stop every process."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have every process go on."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.pid:
            processes.send(processes.tree(self.pid), number)

    async def _keep_log(self, process: trio.Process) -> None:
        # It outlasts the rest, so that the last lines are not lost.
        with self._log_scope:
            if isinstance(process.stdout, trio.lowlevel.FdStream):
                self._log = Log(process.stdout, self._on_line)
                await self._log.run()


async def _stop(process: trio.Process) -> None:
    """End the adapter as Lambda does, then whatever is left of its tree."""
    everyone = await trio.to_thread.run_sync(processes.tree, process.pid)
    if process.poll() is None:
        processes.send(everyone, signal.SIGCONT)
        process.terminate()
        with trio.move_on_after(GRACE):
            await process.wait()
    await trio.to_thread.run_sync(processes.kill, everyone, DEATH)
    await process.wait()


def _memory(pid: int) -> int:
    return processes.memory_mb(processes.tree(pid))
