"""What an ASGI application's coroutines run on, and the words for what they exchange.

Three hosts are behind this: ``host_asyncio``, ``host_trio`` and ``host_trio_asyncio``.
All run in the adapter's one thread, so each side may call the other.

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
"""What is called when a coroutine has ended: with its exception, if it raised one."""


class Gate(Protocol):
    """What an application waits at; opened once, from either side."""

    def open(self) -> None:
        """Let the application go on. Opening it again does nothing."""

    async def wait(self) -> None:
        """Wait until it is open."""


class Task(Protocol):
    """A coroutine of the application's that was started."""

    def cancel(self) -> object:
        """Cancel it, as its library does."""


class Host(Protocol):
    """Runs an application's coroutines."""

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run what is started, until ``close``; a cancellation from outside is late."""

    def close(self) -> None:
        """Cancel what still runs, and let ``run`` return."""

    def gate(self) -> Gate:
        """Return a closed gate."""

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine, in a copy of the caller's context."""

    def wake(self) -> None:
        """Let the application's side go on, if this host does not do so by itself."""


class Cancelled(Exception):  # noqa: N818 - it stands for the loops' own
    """A coroutine was cancelled: asyncio's CancelledError, trio's Cancelled."""


class AppExit(Exception):  # noqa: N818 - it stands for SystemExit
    """``SystemExit`` or ``KeyboardInterrupt`` in an application.

    It costs an invocation and not the environment: under a server it would end one of
    several workers.
    """


def contained(error: BaseException) -> BaseException:
    """Return an error that no loop takes for its own end."""
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        exit_ = AppExit(repr(error))
        exit_.__cause__ = error
        return exit_
    return error
