"""Send and receive bytes on a socket until a deadline.

How a wait works, and why it does not use trio's streams:

1. ``recv`` without waiting. On loopback the bytes have often arrived already.
2. ``recv`` that blocks in the kernel, for 5 ms at most, and only if the process serves
   one invocation at a time (``wait_in_kernel_first``). A wait in trio takes more
   instructions than everything else in an exchange. Meanwhile nothing else in the
   process runs, so SIGTERM or the application's exit may be noticed 5 ms late. What
   an application in this process has to do is not: a ``Companion`` ends the wait.
3. A wait in trio, until the deadline.

A deadline is a value, not a cancel scope around the exchange: the scope costs more than
the work inside it (measured). If invocations are served concurrently, even the scope of
step 3 matters: with 64 of them, an invocation takes 147 µs of CPU, but 125 µs with one
``Timer`` (``http.timer``) that all of them share. Its task sleeps until the earliest
deadline in a table, and ends a late wait by ``notify_closing``, which wakes the waiting
task but leaves the socket open.

Tried without gain: smaller first buffers, a new poll object for each check,
Python's own socket timeouts (one more system call each).
"""

from __future__ import annotations

import math
import select
import socket
import struct
from socket import MSG_DONTWAIT
from typing import Protocol

import trio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_adapter.http.timer import Timer

RECEIVE_SIZE = 65_536
"""Bytes of a wire's first ``recv``, and of each unless more are waiting."""

MAX_RECEIVE_SIZE = 1048576
"""Most bytes per ``recv``. A stream of 52 MB takes 0.6 of the CPU time that it takes by
64 KiB each (measured), since most of what a piece costs does not depend on its size."""

EAGER_BYTES = 1_048_576
"""Bytes to ask for in a row before other tasks get a turn: 16 times as many as a first
``recv`` asks for."""

KERNEL_TIMEOUT = 0.005
"""Seconds of a wait in the kernel. It saves nothing if the response takes longer, and
delays everything else in this process by as much."""

KERNEL_RECEIVES = 2
"""How often to wait in the kernel after a request: many servers send the head and the
body separately."""

AHEAD = 1.0
"""Seconds before a deadline when ``nearly_late`` is called, or half of the time that
there is, if that is less."""

HUNG_UP = -1
"""Returned instead of the number of bytes sent: the peer has stopped reading. It may
have responded before: https://www.rfc-editor.org/rfc/rfc9112#section-9.5"""


TIMER: trio.lowlevel.RunVar[Timer | None] = trio.lowlevel.RunVar("TIMER", None)
"""The timer that all wires of a run share. Without it, each wait has a cancel scope."""


class Companion(Protocol):
    """What else has something to do in this thread while a wire waits in the kernel."""

    def fileno(self) -> int:
        """Return a descriptor that is readable while there is something to do."""

    def seconds_left(self) -> float:
        """Return in how many seconds there is something to do in any case."""


COMPANION: trio.lowlevel.RunVar[Companion | None] = trio.lowlevel.RunVar(
    "COMPANION", None
)
"""The companion of all wires of a run that wait in the kernel first."""


class Wire:
    """A connected socket. Deadlines are on trio's clock."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        clock = trio.lowlevel.current_clock()
        # ``trio.current_time`` looks up the run, its runner and this clock at each
        # call.
        self.current_time = clock.current_time
        self._timer = TIMER.get()
        self._kernel_receives = 0
        self._kernel_receives_left = 0
        self._companion: Companion | None = None
        self._eager_bytes = 0
        self._receive_size = RECEIVE_SIZE
        # For ``is_readable``. ``select`` fails for descriptors above 1,023, which an
        # application in this process may use up.
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self.nearly_late: Callable[[], None] | None = None
        """Called when a wait for bytes is about to reach its deadline, unless all wires
        share a timer."""

    def wait_in_kernel_first(self, timeout: float = KERNEL_TIMEOUT) -> None:
        """Wait for responses in the kernel first, for ``timeout`` s, then in trio."""
        self._kernel_receives = KERNEL_RECEIVES
        if companion := COMPANION.get():
            self._companion = companion
            self._kernel_timeout = timeout
            self._both = select.poll()
            self._both.register(self.socket, select.POLLIN)
            self._both.register(companion.fileno(), select.POLLIN)
            return
        # SO_RCVTIMEO, not Python's ``settimeout``: that takes a system call per wait.
        # https://man7.org/linux/man-pages/man7/socket.7.html
        self.socket.setblocking(True)
        timeval = struct.pack("@ll", *divmod(round(timeout * 1_000_000), 1_000_000))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)

    def send(self, *parts: bytes | memoryview) -> int:
        """Send as much as the socket buffer takes; return the number of bytes.

        Raises:
            OSError: the peer is gone.
        """
        self._kernel_receives_left = self._kernel_receives
        # ``sendmsg`` takes head and body without joining them, a copy of up to 6 MB.
        # The flag, because the socket itself blocks after ``wait_in_kernel_first``.
        try:
            return self.socket.sendmsg(parts, (), MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    async def exchange(
        self, *parts: bytes, deadline: float
    ) -> tuple[int, bytes | None]:
        """Send, then receive; return the number of bytes sent, and those received.

        If not everything could be sent, nothing is received, and the second value is
        None. If the peer has hung up, the first one is ``HUNG_UP``.

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

        Raises:
            OSError: the peer is gone.
            TooSlowError: the deadline passed.
        """
        # A peer that never stops sending must not keep other tasks, and the deadline,
        # from their turn. The checkpoint comes before ``recv``: cancelled after it,
        # bytes that were taken from the socket would be lost.
        self._eager_bytes += self._receive_size
        if self._eager_bytes > EAGER_BYTES:
            await trio.lowlevel.checkpoint()
            self._eager_bytes = 0
            if trio.current_time() >= deadline:
                raise trio.TooSlowError
        flags: int = MSG_DONTWAIT
        if self._kernel_receives_left:
            self._kernel_receives_left -= 1
            if self._companion is None:
                flags = 0
            else:
                self._wait_beside(self._companion)
        while True:
            try:
                data = self.socket.recv(self._receive_size, flags)
            except BlockingIOError:
                # The response takes longer than a wait in the kernel may. Another one
                # would only delay the rest of the process.
                flags = MSG_DONTWAIT
                self._kernel_receives_left = 0
                self._eager_bytes = 0
                await self.wait_readable(deadline)
            else:
                # Nearly all responses need no call here.
                if len(data) == self._receive_size or self._receive_size > RECEIVE_SIZE:
                    self._adapt_receive_size(len(data))
                return data

    def _wait_beside(self, companion: Companion) -> None:
        """Wait in the kernel for bytes, or until the companion has something to do."""
        timeout = min(companion.seconds_left(), self._kernel_timeout)
        if timeout > 0:
            self._both.poll(timeout * 1000)

    def _adapt_receive_size(self, received: int) -> None:
        """Ask for more the next time if all was filled, for less if most was not."""
        size = self._receive_size
        if received == size:
            self._receive_size = min(4 * size, MAX_RECEIVE_SIZE)
        elif received < size // 4 and size > RECEIVE_SIZE:
            self._receive_size = size // 2

    async def wait_readable(self, deadline: float = math.inf) -> None:
        """Wait for bytes, or for the end of the connection.

        Raises:
            TooSlowError: the deadline passed.
        """
        # A cancel scope costs more than the wait, so it is left out where it can be.
        if deadline == math.inf:
            await trio.lowlevel.wait_readable(self.socket)
        elif self._timer:
            await self._timer.wait_readable(self.socket, deadline)
        elif not self.nearly_late or not await self._is_readable_ahead(deadline):
            with trio.fail_at(deadline):
                await trio.lowlevel.wait_readable(self.socket)

    async def _is_readable_ahead(self, deadline: float) -> bool:
        """Wait; if the deadline is near, call ``nearly_late`` and return False."""
        ahead = min(AHEAD, (deadline - trio.current_time()) / 2)
        with trio.move_on_at(deadline - ahead):
            await trio.lowlevel.wait_readable(self.socket)
            return True
        if self.nearly_late:
            self.nearly_late()
        return False

    async def wait_writable(self, deadline: float) -> None:
        """Wait for room in the socket buffer, until the deadline."""
        with trio.move_on_at(deadline):
            await trio.lowlevel.wait_writable(self.socket)

    def is_readable(self) -> bool:
        """Return whether bytes, or the end of the connection, can be read."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close immediately; closing twice does nothing."""
        if self.socket.fileno() != -1:
            # Wakes whoever waits: ``_cancel_on_response`` may, in another task. Without
            # it, epoll would forget the descriptor, and the task would wait for ever.
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()
