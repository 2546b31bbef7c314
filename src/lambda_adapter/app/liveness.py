"""Whether an application still responds: asked after a response that was late.

A server with one worker takes nothing else while it works on a request that was given
up, so each following one would be a 504 as well. A server with threads or an event loop
goes on, and must not be ended: other requests may be under way, and much is cached.

So it is asked for what the readiness check asks for, but at the address of requests: a
port for checks alone may be served by another thread. Any response will do, for a 500
is somebody's as well. What that can't tell, because the path is slow or is not known to
be quick, is told by whether the server has read the question: one whose only worker is
busy has not. A question that was read stays open, and if it has no response when the
next response is late, the application is taken for stuck.

Imported only where a response was late.
"""

from __future__ import annotations

import fcntl
import socket
import sys

import trio

from lambda_adapter.app.procfs import read_proc
from lambda_adapter.app.readiness import check_request
from lambda_adapter.errors import PeerError
from lambda_adapter.http.connect import CONNECT_INTERVAL, open_connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_adapter.config import Config
    from lambda_adapter.http.connection import Connection

TICK = 0.01
"""Seconds of a step of the wait. An environment that is frozen or starved meanwhile
loses a step of it and not the whole, for the application was frozen as well."""

TICKS = 8
"""Steps until a response has to come. By default Lambda's deadline is 0.1 s after the
504, and the next event has to be asked for before that."""

TICKS_AMONG_OTHERS = 500
"""The same where several invocations are served at once. Nothing is frozen there, and
workers that are busy with other requests are free again within seconds."""

SIOCOUTQ = 0x5411
"""The ``ioctl`` for the bytes that a Unix socket's peer has not read:
https://man7.org/linux/man-pages/man2/TIOCOUTQ.2const.html"""


class Liveness:
    """Whether an application responds. ``usual``: seconds of its check at start."""

    def __init__(self, config: Config, usual: float) -> None:
        self._address = config.app_address
        self._request = check_request(config)
        is_alone = config.max_concurrency == 1
        self._ticks = TICKS if is_alone else TICKS_AMONG_OTHERS
        is_quick = usual < TICK * TICKS / 2 and config.readiness_protocol != "tcp"
        self._counts_if_read = is_alone and not is_quick
        self._asked: Connection | None = None
        """Where it was asked and has not responded yet."""

    async def responds(self) -> bool:
        """Ask, and return whether there is a response, or will be."""
        if self._asked and not self._asked.is_stale():
            self._close()
            return False
        self._close()
        for _ in range(self._ticks):
            if await self._ask_for_a_moment():
                self._close()
                return True
        if self._counts_if_read and self._asked and has_read(self._asked.wire.socket):
            return True
        self._close()
        return False

    async def _ask_for_a_moment(self) -> bool:
        """Ask, if that is still to be done, and return whether a response begins.

        A server that hangs up, or does not listen, may be starting again.
        """
        with trio.move_on_after(TICK):
            try:
                if self._asked is None:
                    self._asked = await open_connection(self._address)
                    self._asked.wire.send(self._request.head)
                if await self._asked.wire.receive():
                    return True
            except (PeerError, OSError):
                pass
            self._close()
            await trio.sleep(CONNECT_INTERVAL)
        return False

    def _close(self) -> None:
        if self._asked:
            self._asked.close()
            self._asked = None


def has_read(sock: socket.socket) -> bool:
    """Return whether the peer on this machine has read all that was sent to it.

    A connection that is still to be accepted has its bytes unread. What can't be known
    counts as read.
    """
    try:
        if sock.family == socket.AF_UNIX:
            unread = fcntl.ioctl(sock, SIOCOUTQ, bytes(4))
            return not int.from_bytes(unread, sys.byteorder)
        ports = sock.getpeername()[1], sock.getsockname()[1]
        return not any(
            count_unread(read_proc(f"net/{table}"), *ports) for table in ("tcp", "tcp6")
        )
    except OSError:
        return True


def count_unread(table: str, local: int, remote: int) -> int:
    """Return the bytes that wait to be read from a connection, as Linux shows it.

    https://docs.kernel.org/networking/proc_net_tcp.html
    """
    for line in table.splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        ports = int(here.rpartition(":")[2], 16), int(there.rpartition(":")[2], 16)
        if ports == (local, remote):
            return int(queues.rpartition(":")[2], 16)
    return 0
