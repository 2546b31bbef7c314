"""Bytes on a socket: sent and received until a deadline.

How a wait works, and why it is not one of trio's streams:

1. ``recv`` without waiting. On loopback the bytes are often there.
2. ``recv`` that blocks in the kernel, for 5 ms at most, and only if the process serves
   one invocation at a time (``wait_in_kernel_first``). To wait in trio takes more
   instructions than everything else in an exchange. Nothing else in the process runs
   meanwhile: 5 ms is how late SIGTERM, or the application's end, can be noticed.
3. A wait in trio, until the deadline.

A deadline is a value, and not a cancel scope around the exchange: the scope costs more
than what is done within it (measured). Where several invocations are served
concurrently, even the scope of step 3 counts: at 64 of them, 147 µs of CPU an
invocation, and 125 with one ``Timer`` that all of them share. Its task sleeps until the
earliest deadline in a table, and ends a late wait by ``notify_closing``, which wakes
whoever waits for a socket and leaves the socket open.

Tried, and no gain: larger and smaller buffers, a poll object for each look, Python's
own socket timeouts (one more system call for each).
"""

from __future__ import annotations

import math
import select
import socket
import struct
from socket import MSG_DONTWAIT

import trio

RECEIVE_SIZE = 65_536
"""Bytes asked for at once. Twice and four times as much gain nothing (measured)."""

EAGER_RECEIVES = 16
"""Pieces that are taken in a row without giving anybody else a turn."""

KERNEL_TIMEOUT = 0.005
"""Seconds of a wait in the kernel. Who responds later gains nothing by it, and delays
what else there is to do in this process by so much."""

KERNEL_RECEIVES = 2
"""Pieces after a request that are waited for in the kernel: many servers send a head
and a body apart."""

HUNG_UP = -1
"""In place of how many bytes were sent: the peer reads no more. It may have responded
before: https://www.rfc-editor.org/rfc/rfc9112#section-9.5"""

_TIMEVAL = struct.pack("@ll", 0, int(KERNEL_TIMEOUT * 1_000_000))
"""https://man7.org/linux/man-pages/man7/socket.7.html, ``SO_RCVTIMEO``"""


TIMER: trio.lowlevel.RunVar[Timer | None] = trio.lowlevel.RunVar("TIMER", None)
"""What the wires of a run have in place of a cancel scope for each wait, if so."""


class Wire:
    """A connected socket. Deadlines are by trio's clock.

    They are values, for a cancel scope costs more than what is done within it
    (measured): one is entered only to wait.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        clock = trio.lowlevel.current_clock()
        self.current_time = clock.current_time  # as trio's own, by three calls less
        self._timer = TIMER.get()
        self._kernel_receives = 0
        self._kernel_receives_left = 0
        self._eager_receives = 0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def wait_in_kernel_first(self) -> None:
        """Wait for responses in the kernel, before trio waits for them."""
        # Python's own time-outs are left alone: each takes a system call more.
        self.socket.setblocking(True)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)
        self._kernel_receives = KERNEL_RECEIVES

    def send(self, *parts: bytes | memoryview) -> int:
        """Send what there is room for, and return how many bytes that are.

        Raises:
            OSError: the peer is gone.
        """
        self._kernel_receives_left = self._kernel_receives
        try:
            return self.socket.sendmsg(parts, (), MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    async def exchange(
        self, *parts: bytes, deadline: float
    ) -> tuple[int, bytes | None]:
        """Send, then receive: how many bytes were sent, and the first of a response.

        The bytes are None if not all was sent: the rest comes first, unless the peer
        has hung up (``HUNG_UP`` in place of the number).

        Raises:
            OSError: the peer is gone.
            TooSlowError: the deadline passed.
        """
        try:
            sent = self.send(*parts)
        except (BrokenPipeError, ConnectionResetError):
            return HUNG_UP, None
        if sent < sum(map(len, parts)):
            return sent, None
        return sent, await self.receive(deadline)

    async def receive(self, deadline: float = math.inf) -> bytes:
        """Return the next bytes, ``b""`` at the end.

        It yields regularly, so that a peer that never stops sending can't block
        anything else, and before recv, so that cancellation never loses bytes.

        Raises:
            OSError: the peer is gone.
            TooSlowError: the deadline passed.
        """
        self._eager_receives += 1
        if self._eager_receives > EAGER_RECEIVES:
            await trio.lowlevel.checkpoint()
            self._eager_receives = 0
            if trio.current_time() >= deadline:
                raise trio.TooSlowError
        flags: int = MSG_DONTWAIT
        if self._kernel_receives_left:
            self._kernel_receives_left -= 1
            flags = 0
        while True:
            try:
                return self.socket.recv(RECEIVE_SIZE, flags)
            except BlockingIOError:
                flags = MSG_DONTWAIT
                self._kernel_receives_left = 0
                self._eager_receives = 0
                await self.wait_readable(deadline)

    async def wait_readable(self, deadline: float = math.inf) -> None:
        """Wait for bytes, or for the end.

        Raises:
            TooSlowError: the deadline passed.
        """
        if deadline == math.inf:
            await trio.lowlevel.wait_readable(self.socket)
        elif self._timer:
            await self._timer.wait_readable(self.socket, deadline)
        else:
            with trio.fail_at(deadline):
                await trio.lowlevel.wait_readable(self.socket)

    async def wait_writable(self, deadline: float) -> None:
        """Wait for room, until the deadline."""
        with trio.move_on_at(deadline):
            await trio.lowlevel.wait_writable(self.socket)

    def is_readable(self) -> bool:
        """Return whether there are bytes, or the end."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close at once; closing twice does nothing."""
        if self.socket.fileno() != -1:
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()


def share_timer(nursery: trio.Nursery) -> None:
    """Give the wires that this run opens from now on one timer."""
    timer = Timer()
    TIMER.set(timer)
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
