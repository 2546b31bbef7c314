"""Checks whether an application is ready: one after the other, or beside each other."""

import enum
import socket

import msgspec
import trio

from lambda_adapter import __version__
from lambda_adapter.config import Config
from lambda_adapter.errors import PeerError
from lambda_adapter.http.connect import Knocker
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Request, authority

MOST_CHECKS = 4
"""Most checks that wait for a response at the same time. A further one takes the place
of the latest, so that the first ones have all the time that they need."""


class Stage(enum.Enum):
    """How far a check got."""

    CONNECTING = 1
    """No connection was accepted."""
    WAITING = 2
    """There was no response before the timeout."""
    READING = 3
    """A connection was accepted, but it carried no HTTP response."""
    RESPONDED = 4
    """There was a response, whatever its status."""


class Check(msgspec.Struct, frozen=True):
    """The result of one check."""

    seen: str
    stage: Stage
    is_ready: bool = False
    was_answered: bool = False
    """Whether bytes of a response arrived, even of an unhealthy one."""
    is_late: bool = False
    """Whether its time was over first."""
    seconds: float = 0.0
    """Seconds from its start to its response."""


class Checks:
    """One check after the other, each a cheap one while connections are refused.

    A check that has no response in its time goes on in the nursery, beside later ones,
    and its response counts as well. An abandoned one would keep a server with one
    worker busy: if its page takes 3 s, it would be ready after 12 s.
    """

    def __init__(self, config: Config, knocker: Knocker, nursery: trio.Nursery) -> None:
        self._config = config
        self._knocker = knocker
        self._nursery = nursery
        self._waiting: list[trio.CancelScope] = []
        """The scopes of the checks that wait for a response."""
        # Not a memory channel, which is in a part of trio that is not imported.
        self._ended: list[Check] = []
        """Those that have ended, and were not returned yet."""
        self._news = trio.Event()
        self._refused: Check | None = None
        """The latest check, where it came no further than that."""

    async def check_within(self, limit: float) -> Check:
        """Check once more, and return what came of this check or of an earlier one."""
        if self._ended:
            return self._ended.pop(0)
        # While the application starts there is one check every 10 ms, on the core that
        # it needs: 169,000 instructions each instead of 457,000 (measured).
        if self._refused and self._knocker.is_refused():
            return self._refused
        check = await self._check(limit)
        is_refused = check.stage is Stage.CONNECTING and not check.is_late
        self._refused = check if is_refused else None
        return check

    async def _check(self, limit: float) -> Check:
        address = self._config.readiness_address
        where = address if isinstance(address, str) else authority(address).decode()
        started = trio.current_time()
        seen = f"no connection to {where} within {limit:g} s"
        check = Check(seen, Stage.CONNECTING, is_late=True)
        try:
            with trio.move_on_after(limit):
                connection = await self._knocker.open_connection()
                seen = f"no response within {limit:g} s"
                check = Check(seen, Stage.WAITING, is_late=True)
                # A server with one worker that is busy with a check would handle this
                # one as well, with the first request waiting behind it.
                if self._waiting and not await wait_accepted(connection.wire.socket):
                    connection.close()
                else:
                    self._start(connection, started)
                check = await self._wait_ended()
        except PeerError as error:
            return Check(str(error), Stage.CONNECTING)
        return check

    def _start(self, connection: Connection, started: float) -> None:
        if len(self._waiting) == MOST_CHECKS:
            self._waiting.pop().cancel()
        self._nursery.start_soon(self._ask, connection, started)

    async def _wait_ended(self) -> Check:
        while not self._ended:
            self._news = trio.Event()
            await self._news.wait()
        return self._ended.pop(0)

    async def _ask(self, connection: Connection, started: float) -> None:
        scope = trio.CancelScope()
        self._waiting.append(scope)
        with scope:
            check = await ask(self._config, connection)
            seconds = trio.current_time() - started
            self._ended.append(msgspec.structs.replace(check, seconds=seconds))
            self._news.set()
        if scope in self._waiting:
            self._waiting.remove(scope)


ACCEPT_TIMEOUT = 0.05
"""Seconds that an idle server has to accept a connection."""

POLL = 0.01
"""Seconds between two looks whether it has."""


async def wait_accepted(sock: socket.socket) -> bool:
    """Return whether a server on this machine accepts a connection immediately.

    If that can't be found out, it does.
    """
    if sock.family == socket.AF_UNIX:
        return True
    with trio.move_on_after(ACCEPT_TIMEOUT):
        while not _is_accepted(sock):  # noqa: ASYNC110 - no event tells
            await trio.sleep(POLL)
        return True
    return False


def _is_accepted(sock: socket.socket) -> bool:
    from lambda_adapter.app.procfs import is_accepted, read_proc

    table = "net/tcp6" if sock.family == socket.AF_INET6 else "net/tcp"
    try:
        ports = sock.getpeername()[1], sock.getsockname()[1]
        return is_accepted(read_proc(table), *ports)
    except OSError:  # not Linux, or the server has hung up
        return True


async def ask(config: Config, connection: Connection) -> Check:
    """Ask over a connection, close it, and return what came of the check."""
    try:
        if config.readiness_protocol == "tcp":
            return Check("it accepts connections", Stage.READING, is_ready=True)
        # The head is enough: a page of megabytes need not be read to see its status.
        response, _ = await connection.exchange_head(check_request(config))
    except PeerError as error:
        seen = f"it accepts connections, but {error}"
        return Check(seen, Stage.READING, was_answered=error.answered)
    finally:
        connection.close()
    return Check(
        f"GET {config.readiness_path} returned status {response.status}",
        Stage.RESPONDED,
        is_ready=response.status in config.readiness_healthy_status,
        was_answered=True,
    )


def check_request(config: Config) -> EncodedRequest:
    """Return the request of a check, which closes its connection."""
    fields = [
        (b"host", authority(config.readiness_address)),
        (b"user-agent", f"lambda-adapter/{__version__} (readiness check)".encode()),
        (b"accept", b"*/*"),
        (b"connection", b"close"),
    ]
    return encode_request(Request(b"GET", config.readiness_path.encode(), fields))
