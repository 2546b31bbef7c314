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

After the 504 only the deadline's margin is left, 0.1 s by default, since the next event
must be requested before Lambda's deadline. That is too short for an event loop that
computes for 0.2 s at a time, or for threads that share a small part of a CPU. So the
probe is sent a second before the response would be late, while the request is still
under way. A probe that was answered by then has shown that the application lives.

Imported only when a response is late, or nearly so.
"""

from __future__ import annotations

import fcntl
import math
import socket
import sys

import trio

from lambda_adapter.app.procfs import read_proc
from lambda_adapter.app.readiness_checks import check_request
from lambda_adapter.errors import NotListeningError, PeerError
from lambda_adapter.http.connect import CONNECT_INTERVAL, open_connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_adapter.config import Config
    from lambda_adapter.http.connection import Connection

TICK = 0.01
"""Seconds of one step of the wait."""

LONGEST = 1.0
"""Longest wait for a response after the 504, in seconds."""

RESERVE = 0.02
"""Seconds before Lambda's deadline when the wait ends, so that the next event is
requested in time."""

QUICK = 0.04
"""Seconds within which the readiness check must have succeeded for a missing response
to prove something."""

LONGEST_AHEAD = 2.0
"""Longest wait of a probe that was sent ahead, in seconds. It ends by itself if the
response came in time."""

LONGEST_AMONG_OTHERS = 5.0
"""The same if invocations are served concurrently, whatever the deadline. Nothing is
frozen then, and workers that are busy with other requests become free within
seconds."""

STUCK = (
    "the application responds to no other request after this one, which was late: the"
    " environment ends, so that the next request does not wait behind it"
)

SIOCOUTQ = 0x5411
"""The ``ioctl`` for the number of bytes that a Unix socket's peer has not read:
https://man7.org/linux/man-pages/man2/TIOCOUTQ.2const.html"""


class Liveness:
    """Probes an application. ``usual``: seconds that its readiness check took."""

    def __init__(self, config: Config, usual: float) -> None:
        self._address = config.app_address
        self._request = check_request(config)
        self._is_alone = not config.is_concurrent
        # If the path itself is slow, a missing response proves nothing.
        is_quick = usual < QUICK and config.readiness_protocol != "tcp"
        self._counts_if_read = self._is_alone and not is_quick
        self._asked: Connection | None = None
        """The connection of a probe without a response."""
        self._refusal = ""
        """Why the latest probe could not connect."""
        self._ahead = trio.CancelScope()
        """The scope of the task that probes ahead."""
        self._ahead_ended = trio.Event()
        self._ahead_ended.set()
        self._answered = -math.inf
        """When a probe that was sent ahead got its response, on trio's clock."""

    def ask_ahead(self, nursery: trio.Nursery) -> None:
        """Probe in the background, unless there is a probe without a response."""
        if self._ahead_ended.is_set() and not self._is_unanswered():
            self._ahead, self._ahead_ended = trio.CancelScope(), trio.Event()
            nursery.start_soon(self._ask_ahead)

    async def _ask_ahead(self) -> None:
        with self._ahead:
            if await self.ask_for(LONGEST_AHEAD):
                self._answered = trio.current_time()
            self.close()
        self._ahead_ended.set()

    async def responds(self, since: float, left: float = math.inf) -> bool:
        """Probe; return whether there is a response, or can still be one.

        One that came after ``since``, on trio's clock, will do. ``left`` is the number
        of seconds to Lambda's deadline.
        """
        if not self._ahead_ended.is_set():
            self._ahead.cancel()  # and go on with its connection here
            await self._ahead_ended.wait()
        elif self._is_unanswered():
            # The probe of the late request before has still no response: two in a row.
            self.close()
            return False
        if self._answered >= since:
            return True
        longest = LONGEST_AMONG_OTHERS
        if self._is_alone:
            longest = min(LONGEST, left - RESERVE)
        if await self.ask_for(longest):
            self.close()
            return True
        if self._counts_if_read and self._asked and has_read(self._asked.wire.socket):
            return True
        self.close()
        return False

    def describe_silence(self) -> str:
        """Return why there was no response, and what follows."""
        if not self._refusal:
            return STUCK
        return (
            f"the application does not listen any more ({self._refusal}): the"
            " environment ends, so that the next request gets another one"
        )

    def _is_unanswered(self) -> bool:
        """Return whether a probe has no response yet; forget it if it has one."""
        if self._asked and not self._asked.is_stale():
            return True
        self.close()
        return False

    async def ask_for(self, seconds: float) -> bool:
        """Probe for so long, one step at least; return whether there is a response."""
        # In steps: if the environment is frozen or starved meanwhile, only one step is
        # lost, and the application gets the time that it was promised.
        for _ in range(max(1, int(seconds / TICK))):
            if await self._ask_for_a_moment():
                return True
        return False

    async def _ask_for_a_moment(self) -> bool:
        """Send the probe, unless it is sent; return whether a response begins.

        A server that hangs up, or does not listen, may be restarting: try again.
        """
        with trio.move_on_after(TICK):
            try:
                if self._asked is None:
                    self._asked = await open_connection(self._address)
                    self._refusal = ""
                    self._asked.wire.send(self._request.head)
                if await self._asked.wire.receive():
                    return True
            except NotListeningError as error:
                self._refusal = str(error)
            except (PeerError, OSError):
                pass
            self.close()
            await trio.sleep(CONNECT_INTERVAL)
        return False

    def close(self) -> None:
        """Forget the probe, if there is one."""
        if self._asked:
            self._asked.close()
            self._asked = None


async def wait_response(config: Config, left: float) -> None:
    """Probe until there is a response, for as long as after a late one at most."""
    liveness = Liveness(config, math.inf)
    await liveness.ask_for(min(LONGEST, left - RESERVE))
    liveness.close()


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
