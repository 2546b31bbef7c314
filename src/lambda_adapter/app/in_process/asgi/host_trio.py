"""An ASGI application on trio itself: AWS_LWA_ASGI_LOOP=trio."""

import math
from collections.abc import Awaitable, Callable

import trio

from lambda_adapter.app.in_process.asgi.host import (
    Cancelled,
    Ended,
    Gate,
    Task,
    contained,
)
from lambda_adapter.app.in_process.forked import end_if_child


class TrioGate:
    """A gate for coroutines on trio."""

    def __init__(self) -> None:
        self._event = trio.Event()
        self.open = self._event.set

    async def wait(self) -> None:
        """Wait until it is open."""
        await self._event.wait()


class TrioHost:
    """Runs an application's coroutines as trio's tasks."""

    _nursery: trio.Nursery

    def __init__(self) -> None:
        self._life = trio.CancelScope(shield=True)

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run what is started, until ``close``."""
        with self._life:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                await trio.sleep_forever()

    def close(self) -> None:
        """Cancel what still runs, and let ``run`` return."""
        self._life.cancel()

    def gate(self) -> Gate:
        """Return a closed gate."""
        return TrioGate()

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine in a task with a cancel scope of its own."""
        scope = trio.CancelScope()
        self._nursery.start_soon(_run, call, ended, scope)
        return scope

    def wake(self) -> None:
        """Do nothing: trio runs both sides."""


async def _run(
    call: Callable[[], Awaitable[None]], ended: Ended, scope: trio.CancelScope
) -> None:
    """Run a coroutine, and have its end told, whatever it raises."""
    error: BaseException | None = None
    try:
        # Within the ``try``: the scope takes its own cancellation out of a group, and
        # lets the rest through.
        with scope:
            await call()
    except BaseException as raised:  # the application's end is not the adapter's
        end_if_child(raised)
        error = raised
    cancelled, rest = _split(error)
    if rest:
        ended(contained(rest))
    else:
        was_cancelled = cancelled or scope.cancelled_caught
        ended(Cancelled("cancelled") if was_cancelled else None)
    if cancelled:
        raise cancelled


def _split(
    error: BaseException | None,
) -> tuple[BaseException | None, BaseException | None]:
    """Return the host's own cancellation, which has to go on, and the rest of an error.

    A ``Cancelled`` where the host is not cancelled is one that the application kept.
    """
    if trio.current_effective_deadline() > -math.inf:
        return None, error
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)
    return (error, None) if isinstance(error, trio.Cancelled) else (None, error)
