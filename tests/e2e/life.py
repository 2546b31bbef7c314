"""A server behind the adapter, and the freezing of both."""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from tests.adapter import Adapter, children, open_adapter
from tests.catalogue import function_url
from tests.e2e.servers import Make
from tests.fake_runtime_api import FakeRuntimeApi
from tests.ports import free_port


def in_seconds(seconds: float) -> str:
    """Return a deadline."""
    return str(int((time.time() + seconds) * 1000))


async def get(
    runtime: FakeRuntimeApi, path: str, seconds: float = 15, method: str = "GET"
) -> tuple[int, str]:
    """Invoke with so many seconds to the deadline; return status and body."""
    event = function_url(method, path)
    posted = await runtime.invoke(event, lambda_runtime_deadline_ms=in_seconds(seconds))
    if posted.is_stream:
        return int(str(posted.prelude()["statusCode"])), posted.content().decode()
    reply = posted.json()
    return int(str(reply["statusCode"])), str(reply["body"])


@asynccontextmanager
async def open_life(
    runtime: FakeRuntimeApi, folder: Path, command: Make, **environ: str
) -> AsyncIterator[Adapter]:
    """Serve by a server, and wait until it is ready."""
    port = free_port()
    argv = command(port, folder)
    settings: dict[str, Any] = environ
    async with open_adapter(runtime.address, argv, port=port, **settings) as adapter:
        await adapter.wait_log("the application is ready")
        yield adapter


def tree(pid: int) -> list[int]:
    """Return the pids of a process and of all its descendants."""
    found = [pid]
    for parent in found:
        try:
            found += children(parent)
        except OSError:  # it has just ended
            continue
    return found


def signal_all(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


async def freeze(adapter: Adapter, seconds: float) -> None:
    """Stop the adapter and all that it started for a time, as Lambda does."""
    await stop(tree(adapter.process.pid), seconds)


async def stop(pids: Sequence[int], seconds: float) -> None:
    """Stop processes for a time."""
    signal_all(pids, signal.SIGSTOP)
    try:
        await trio.sleep(seconds)
    finally:
        signal_all(pids, signal.SIGCONT)


async def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells."""
    with trio.fail_after(10):
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.01)
