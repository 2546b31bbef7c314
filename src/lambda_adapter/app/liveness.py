"""Probe after a late response whether an application still responds.

A server with one worker accepts nothing else while it works on the abandoned request,
so that each following one would be a 504 as well. A server with threads or an event
loop still responds, and must not be killed: it may be serving other requests, and its
caches are warm.

So the request of the readiness check is sent as a probe, but to the address of
requests: a separate port for checks may have its own thread. Any response will do, even
a 500. If the path is slow, or not known to be fast, a missing response proves nothing.
Then it counts whether the server has read the probe: one whose only worker is busy has
not. A probe that was read stays open, and if it still has no response when the next
request is late, the application counts as stuck.

Imported only after a late response.
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
"""Seconds of one step of the wait."""

TICKS = 8
"""Steps to wait for a response. By default Lambda's deadline is 0.1 s after the 504,
and the next event must be requested before that."""

TICKS_AMONG_OTHERS = 500
"""The same if invocations are served concurrently. Nothing is frozen then, and workers
that are busy with other requests become free within seconds."""

SIOCOUTQ = 0x5411
"""The ``ioctl`` for the number of bytes that a Unix socket's peer has not read:
https://man7.org/linux/man-pages/man2/TIOCOUTQ.2const.html"""


class Liveness:
    """Probes an application. ``usual``: seconds that its readiness check took."""

    def __init__(self, config: Config, usual: float) -> None:
        self._address = config.app_address
        self._request = check_request(config)
        is_alone = not config.is_concurrent
        self._ticks = TICKS if is_alone else TICKS_AMONG_OTHERS
        # If the path itself is slow, a response that is missing after 80 ms proves
        # nothing.
        is_quick = usual < TICK * TICKS / 2 and config.readiness_protocol != "tcp"
        self._counts_if_read = is_alone and not is_quick
        self._asked: Connection | None = None
        """The connection of a probe without a response."""

    async def responds(self) -> bool:
        """Probe; return whether there is a response, or can still be one."""
        # The probe of the late request before has still no response: two in a row.
        if self._asked and not self._asked.is_stale():
            self._close()
            return False
        self._close()
        # In steps: if the environment is frozen meanwhile, only one step is lost, and
        # the application gets the time that it was promised.
        for _ in range(self._ticks):
            if await self._ask_for_a_moment():
                self._close()
                return True
        if self._counts_if_read and self._asked and has_read(self._asked.wire.socket):
            return True
        self._close()
        return False

    async def _ask_for_a_moment(self) -> bool:
        """Send the probe, unless it is sent; return whether a response begins.

        A server that hangs up, or does not listen, may be restarting: try again.
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
    """Return whether the peer, on this machine, has read everything sent to it.

    On a connection that is not accepted yet, everything is unread. If it can't be found
    out, everything counts as read.
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
    """Return the number of unread bytes of a connection in Linux's table.

    https://docs.kernel.org/networking/proc_net_tcp.html
    """
    for line in table.splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        ports = int(here.rpartition(":")[2], 16), int(there.rpartition(":")[2], 16)
        if ports == (local, remote):
            return int(queues.rpartition(":")[2], 16)
    return 0
