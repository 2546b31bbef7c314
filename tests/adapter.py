"""The adapter as a process of its own, in front of a real application."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.ports import free_port

PUPPET = [sys.executable, str(Path(__file__).parent / "programs" / "puppet.py")]


def measured() -> dict[str, str]:
    """Return the variables by which coverage measures a process that is started."""
    return {name: value for name, value in os.environ.items() if "COV" in name}


ENVIRON = {"PATH": os.environ["PATH"], **measured()}
"""What a process of a test needs of this one's environment."""

ADAPTER = (
    [os.environ["TESTED_ADAPTER"]]
    if os.environ.get("TESTED_ADAPTER")
    else [sys.executable, "-m", "lambda_adapter"]
)
"""The command that is tested: this installation, unless the native file is named."""


class Adapter:
    """A running adapter."""

    def __init__(self, process: trio.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.log = ""
        """What it and its application wrote to stderr so far."""
        self._news = trio.Condition()

    async def wait_log(self, text: str) -> str:
        """Wait until the log has this, and return the log."""
        with trio.fail_after(20):
            async with self._news:
                while text not in self.log:
                    await self._news.wait()
        return self.log

    async def wait(self) -> int:
        """Wait until it has ended by itself, and return its exit status."""
        with trio.fail_after(20):
            return await self.process.wait()

    def child(self) -> int:
        """Return the pid of its application."""
        (child,) = children(self.process.pid)
        return child

    async def keep_log(self) -> None:
        assert self.process.stderr
        async for data in self.process.stderr:
            async with self._news:
                self.log += data.decode("utf-8", "replace")
                self._news.notify_all()


def children(pid: int) -> list[int]:
    """Return the pids of what a process has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as pids:
        return [int(child) for child in pids.read().split()]


def environment(
    runtime_api: str, port: int, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return what a function's environment holds."""
    return {
        **ENVIRON,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "PORT": str(port),
        **extra,
    }


@asynccontextmanager
async def open_adapter(
    runtime_api: str,
    command: Sequence[str] = PUPPET,
    *,
    adapter: Sequence[str] = ADAPTER,
    port: int | None = None,
    stdout: int | None = None,
    **extra: str,
) -> AsyncIterator[Adapter]:
    """Start the adapter in front of a command; end both, if they have not ended.

    Like Lambda, this makes it the leader of a process group.
    """
    port = port or free_port()
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(
            [*adapter, *command],
            env=environment(runtime_api, port, extra),
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
        )
        running = Adapter(process, port)
        nursery.start_soon(running.keep_log)
        try:
            yield running
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(5):
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                await process.wait()
            if process.poll() is None:
                process.kill()
            nursery.cancel_scope.cancel()


def memory(pid: int) -> float:
    """Return what a process alone has in memory, in MB.

    Not its share of what it maps with others: that changes as they come and go.
    """
    return _memory(pid, "RssAnon")


def peak_memory(pid: int) -> float:
    """Return the most that a process ever had in memory, in MB."""
    return _memory(pid, "VmHWM")


def _memory(pid: int, what: str) -> float:
    with open(f"/proc/{pid}/status") as status:
        found = re.search(rf"{what}:\s+(\d+) kB", status.read())
    assert found
    return int(found[1]) / 1_000
