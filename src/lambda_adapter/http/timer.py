"""One timer for the deadlines of many waits.

A cancel scope for a deadline takes 69,000 instructions (measured), and where several
invocations are served at once, each of them waits in two. Here a deadline is an entry
in a table, and a single task sleeps until the earliest. Imported only there. Shell.
"""

import math
import socket

import trio

from lambda_adapter.http import wire


def share_timer(nursery: trio.Nursery) -> None:
    """Give the wires that this run opens from now on one timer."""
    timer = Timer()
    wire.TIMER.set(timer)
    nursery.start_soon(timer.run)


class Timer:
    """Ends waits for sockets, each at its deadline by trio's clock."""

    def __init__(self) -> None:
        self._waits: dict[socket.socket, float] = {}
        self._wakes_at = math.inf
        """When the earliest deadline passes that was known when the task looked."""
        self._sooner = trio.Event()

    async def run(self) -> None:
        """End each wait whose deadline has passed, until cancelled.

        A wait that is over before its deadline is not in the table any more when that
        passes: then there was nothing to do but to look.
        """
        while True:
            self._end_late_waits(trio.current_time())
            self._wakes_at = min(self._waits.values(), default=math.inf)
            with trio.move_on_at(self._wakes_at):
                await self._sooner.wait()
            self._sooner = trio.Event()

    def _end_late_waits(self, now: float) -> None:
        late = [sock for sock, deadline in self._waits.items() if deadline <= now]
        for sock in late:
            del self._waits[sock]
            # Its wait raises ClosedResourceError; the socket itself stays open.
            trio.lowlevel.notify_closing(sock)

    async def wait_readable(self, sock: socket.socket, deadline: float) -> None:
        """Wait for bytes, or for the end. A socket has one such wait at a time.

        Raises:
            ClosedResourceError: somebody closed the socket.
            TooSlowError: the deadline passed.
        """
        self._waits[sock] = deadline
        if deadline < self._wakes_at:
            self._sooner.set()
        try:
            await trio.lowlevel.wait_readable(sock)
        except trio.ClosedResourceError:
            if sock in self._waits:
                raise
            raise trio.TooSlowError from None
        finally:
            self._waits.pop(sock, None)
