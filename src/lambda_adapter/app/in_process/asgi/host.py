"""The interface of a host, which runs an ASGI application's coroutines on a loop.

There are three: ``host_asyncio``, ``host_trio`` and ``host_trio_asyncio``. Each runs
the application in the adapter's one thread, so that each side may call the other.

https://asgi.readthedocs.io/en/latest/specs/main.html
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Protocol

import trio

Scope = MutableMapping[str, object]
Message = Mapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

Ended = Callable[[BaseException | None], None]
"""Called when a coroutine has ended, with the exception that it raised, or None."""


class Gate(Protocol):
    """An event that an application waits for; opened once, by either side."""

    def open(self) -> None:
        """Let the application continue. Opening it again does nothing."""

    async def wait(self) -> None:
        """Wait until it is open."""


class Task(Protocol):
    """A started coroutine of the application."""

    def cancel(self) -> object:
        """Cancel it as its library would."""


class Host(Protocol):
    """Runs an application's coroutines."""

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the started coroutines until ``close``, shielded from cancellation."""

    def close(self) -> None:
        """Cancel the coroutines that still run, and let ``run`` return."""

    def gate(self) -> Gate:
        """Return a closed gate."""

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine, in a copy of the caller's context."""

    def wake(self) -> None:
        """Run the application until it waits, if the host does not do so by itself."""


class Cancelled(Exception):  # noqa: N818 - it stands for the loops' own
    """A coroutine was cancelled: asyncio's CancelledError, trio's Cancelled."""


def cancelled(error: BaseException) -> Cancelled:
    """Return what stands for a loop's cancellation, with its reason and traceback."""
    # An application may have caused it, by awaiting a task that it has cancelled.
    stand_in = Cancelled(repr(error))
    stand_in.__cause__ = error
    return stand_in


class AppExit(Exception):  # noqa: N818 - it stands for SystemExit
    """Stands for ``SystemExit`` or ``KeyboardInterrupt`` in an application.

    It fails an invocation but does not end the environment: under a server it would end
    one of several workers.
    """


def contained(error: BaseException) -> BaseException:
    """Return an error that doesn't end the loop in which it is raised."""
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        exit_ = AppExit(repr(error))
        exit_.__cause__ = error
        return exit_
    return error
