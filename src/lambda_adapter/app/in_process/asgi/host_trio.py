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
        """Run the started coroutines until ``close``."""
        # Shielded: SIGTERM cancels the nursery, but the application still has to shut
        # down.
        with self._life:
            async with trio.open_nursery() as self._nursery:
                task_status.started()
                await trio.sleep_forever()

    def close(self) -> None:
        """Cancel the coroutines that still run, and let ``run`` return."""
        self._life.cancel()

    def gate(self) -> Gate:
        """Return a closed gate for coroutines on trio."""
        return TrioGate()

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine in a task with its own cancel scope."""
        scope = trio.CancelScope()
        self._nursery.start_soon(_run_coroutine, call, ended, scope)
        return scope

    def wake(self) -> None:
        """Do nothing: trio runs both sides."""


async def _run_coroutine(
    call: Callable[[], Awaitable[None]], ended: Ended, scope: trio.CancelScope
) -> None:
    """Run a coroutine, and call ``ended``, whatever it raises."""
    cancelled: BaseException | None = None
    rest: BaseException | None = None
    try:
        # Within the ``try``: leaving the scope removes its own cancellation from a
        # group of errors, and lets the rest through.
        with scope:
            await call()
    except BaseException as raised:
        # Whatever it is: the host's nursery, and with it the adapter, must not end.
        end_if_child(raised)
        cancelled, rest = _split_cancellation(raised)
    if rest:
        ended(contained(rest))
    else:
        was_cancelled = cancelled or scope.cancelled_caught
        ended(Cancelled("cancelled") if was_cancelled else None)
    if cancelled:
        raise cancelled


def _split_cancellation(
    error: BaseException,
) -> tuple[BaseException | None, BaseException | None]:
    """Split an error into the host's own cancellation, to be raised, and the rest."""
    # If the host is not cancelled, a ``Cancelled`` is one that the application kept,
    # and raises where nobody expects it.
    if trio.current_effective_deadline() > -math.inf:
        return None, error
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)
    return (error, None) if isinstance(error, trio.Cancelled) else (None, error)
