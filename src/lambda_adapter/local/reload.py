"""Start the function anew when its files change, like servers' ``--reload``."""

import os
from collections.abc import Awaitable, Callable

import trio
from watchfiles import awatch

from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.report import Report
from lambda_adapter.local.session import Session


async def keep_reloading(session: Session, report: Report) -> None:
    """Start the function, and again after each change of a file, until cancelled.

    One that fails to start is told of; the next change starts it again.
    """
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_set_when_cancelled, stop)
        await _try(session.start, report)
        async for changes in awatch(".", stop_event=stop):
            names = sorted(_shown(path) for _, path in changes)
            more = f" and {len(names) - 1} more" if names[1:] else ""
            report.notice(f"{names[0]}{more} changed: starting anew")
            await _try(session.restart, report)


def _shown(path: str) -> str:
    return os.path.relpath(path)


async def _set_when_cancelled(stop: trio.Event) -> None:
    """End the watching thread at once; left to itself, it looks every 5 s."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()


async def _try(start: Callable[[], Awaitable[None]], report: Report) -> None:
    try:
        await start()
    except SetupError as error:
        report.failure(str(error))
