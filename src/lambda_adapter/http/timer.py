"""One timer for the deadlines of all wires, if invocations are served concurrently.

A cancel scope for each wait costs more than the wait: see ``http.wire``. Imported only
if there are several loops.
"""

import math
import socket

import trio

from lambda_adapter.http.wire import TIMER


def share_timer(nursery: trio.Nursery) -> None:
    """Make all wires that are opened from now on share one timer."""
    timer = Timer()
    TIMER.set(timer)
    nursery.start_soon(timer.run)


class Timer:
    """Ends waits for sockets at their deadlines, on trio's clock."""

    def __init__(self) -> None:
        self._waits: dict[socket.socket, float] = {}
        self._wakes_at = math.inf
        """The earliest deadline known when the task last looked."""
        self._sooner = trio.Event()

    async def run(self) -> None:
        """End each wait whose deadline has passed, until cancelled."""
        # A wait that ends in time leaves the table but does not wake this task: nearly
        # all do. So it may wake for a deadline that has gone, which is rare and cheap.
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
        """Wait for bytes or the end. A socket has one such wait at a time.

        Raises:
            ClosedResourceError: the socket was closed meanwhile.
            TooSlowError: the deadline passed.
        """
        self._waits[sock] = deadline
        if deadline < self._wakes_at:
            self._sooner.set()
        try:
            await trio.lowlevel.wait_readable(sock)
        except trio.ClosedResourceError:
            # The timer takes an entry out before it ends the wait. If it is still
            # there, somebody else has closed the socket.
            if sock in self._waits:
                raise
            raise trio.TooSlowError from None
        finally:
            self._waits.pop(sock, None)
