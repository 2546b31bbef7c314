"""Timeouts that do not count the time in which this machine is busy otherwise."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

MOST = 5.0
"""How many times longer a timeout can become."""

LOOK = 0.2
"""Seconds between two looks at how busy the machine is."""


@asynccontextmanager
async def move_on_after(
    seconds: float, queued: Callable[[], float]
) -> AsyncIterator[trio.CancelScope]:
    """Cancel what is within after some seconds, as ``trio.move_on_after`` does.

    Args:
        seconds: the timeout, which becomes longer while the machine is busy.
        queued: returns the seconds for which the application has waited for a CPU.
    """
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(seconds) as scope:
            nursery.start_soon(_extend, scope, seconds, queued)
            yield scope
        nursery.cancel_scope.cancel()


async def _extend(
    scope: trio.CancelScope, seconds: float, queued: Callable[[], float]
) -> None:
    deadline, before = scope.deadline, queued()
    while True:
        await trio.sleep(LOOK)
        longer = min(queued() - before, seconds * (MOST - 1))
        scope.deadline = deadline + longer
