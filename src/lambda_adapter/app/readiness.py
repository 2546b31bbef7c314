"""Wait until the application is ready for its first request."""

import contextlib
import enum
import math
import socket
from collections.abc import Callable
from typing import Protocol

import msgspec
import trio

from lambda_adapter import __version__
from lambda_adapter.app.process import EXITED_0, FOREGROUND
from lambda_adapter.config import Config
from lambda_adapter.errors import AppNotReadyError, PeerError
from lambda_adapter.http.connect import Knocker
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Request, authority
from lambda_adapter.observe.logs import log

INTERVAL = 0.01
"""Seconds between two checks, as long as there is no response."""

SHARE = 1 / 8
"""Pause after an unhealthy response, as a fraction of the time since the first one. It
grows because applications log each check. A warm-up takes longer by at most this
part."""

LONGEST_PAUSE = 1.0
"""Longest pause between two checks, in seconds."""

FIRST_LIMIT = 1.0
"""Seconds until a second check is sent beside the first one, which goes on. The time to
the next one doubles each time: a lost response is requested again soon, and a server
with one worker, which handles one check after the other, has few to handle."""

LAST_LIMIT = 8.0
"""Longest time from one check without a response to the next, in seconds."""

MOST_CHECKS = 4
"""Most checks that wait for a response at the same time. A further one takes the place
of the latest, so that the first ones have all the time that they need."""

FIRST_REPORT = 2.0
"""Seconds until the log says why the application is not ready; each report doubles the
time to the next."""


INIT_REPORT = 8.0
"""Seconds after which reports mention the timeout of Lambda's init."""


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


class Process(Protocol):
    """A process that may exit before it is ready."""

    @property
    def pid(self) -> int:
        """The pid."""

    def ended(self) -> str | None:
        """Return how it exited, in words, or None while it runs."""


def _ignore(_seen: str) -> None:
    """Do nothing with what a check saw."""


async def wait_app_ready(
    config: Config, process: Process | None, note: Callable[[str], None] = _ignore
) -> float:
    """Wait until a check succeeds; return how many seconds that check took.

    ``note`` is called with what each other check saw.

    Raises:
        AppNotReadyError: the application exited, or was not ready before the timeout.
    """
    failure: AppNotReadyError | None = None
    seconds = 0.0
    with contextlib.closing(Knocker(config.readiness_address)) as knocker:
        async with trio.open_nursery() as nursery:
            checks = Checks(config, knocker, nursery)
            try:
                seconds = await _wait_ready(config, process, checks, note)
            except AppNotReadyError as error:  # raised alone, not in a group
                failure = error
            nursery.cancel_scope.cancel()
    if failure:
        raise failure
    return seconds


async def _wait_ready(
    config: Config,
    process: Process | None,
    checks: "Checks",
    note: Callable[[str], None],
) -> float:
    started = trio.current_time()
    first_response = math.inf
    report = FIRST_REPORT
    limit = FIRST_LIMIT
    while not (check := await checks.check_within(limit)).is_ready:
        note(check.seen)
        now = trio.current_time()
        waited = now - started
        if check.is_late:
            limit = min(limit * 2, LAST_LIMIT)
        _raise_if_over(config, process, waited, check)
        if waited >= report:
            _log_not_ready(config, process, waited, check)
            report *= 2 ** math.ceil(math.log2(waited / report) + 0.01)
        # An application that responds logs each check: 100 lines a second would hide
        # its own. One that does not yet respond logs nothing, and is asked often.
        pause = INTERVAL
        if check.was_answered:
            first_response = min(first_response, now)
            share = (now - first_response) * SHARE
            pause = max(INTERVAL, min(share, LONGEST_PAUSE))
        await trio.sleep(pause)
    waited = trio.current_time() - started
    log.info("the application is ready after %.0f ms (%s)", waited * 1000, check.seen)
    return check.seconds


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


def _raise_if_over(
    config: Config, process: Process | None, waited: float, check: Check
) -> None:
    """Raise an error if the application has exited, or its time is over.

    Raises:
        AppNotReadyError: the application won't become ready.
    """
    wrapper = config.app_wrapper
    # After an exit, a refused connection is left out of the message: it explains
    # nothing.
    if process and (how := process.ended()):
        if how == EXITED_0:
            how = f"{how} ({FOREGROUND})"
        through = f" (started through {wrapper})" if wrapper else ""
        last = f"; last check: {check.seen}"
        if check.stage is Stage.CONNECTING:
            last = ""
        raise AppNotReadyError(
            f"the application{through} {how} before it was ready; its own lines in the"
            f" log may say why{last}"
        )
    if config.readiness_timeout and waited >= config.readiness_timeout:
        raise AppNotReadyError(
            f"the application was not ready within {config.readiness_timeout:g} s; last"
            f" check: {check.seen}; {advise(config, process, check)}"
        )


def _log_not_ready(
    config: Config, process: Process | None, waited: float, check: Check
) -> None:
    advice = advise(config, process, check)
    if waited >= INIT_REPORT and not config.inits_async:
        advice += (
            "; Lambda's init has 10 s, and AWS_LWA_ASYNC_INIT=true lets it end before"
            " the application is ready"
        )
    log.warning(
        "the application is not ready after %.0f s: %s; %s", waited, check.seen, advice
    )


def advise(config: Config, process: Process | None, check: Check) -> str:
    """Return what to do, depending on how far the check got."""
    from lambda_adapter.app import readiness_advice

    match check.stage:
        case Stage.CONNECTING:
            pid = process.pid if process else None
            return readiness_advice.advise_on_address(config, pid)
        case Stage.WAITING:
            return readiness_advice.SILENCE
        case Stage.READING:
            return readiness_advice.advise_on_protocol(config)
        case Stage.RESPONDED:
            return readiness_advice.STATUS


ACCEPT_TIMEOUT = 0.05
"""Seconds that an idle server has to accept a connection."""


async def wait_accepted(sock: socket.socket) -> bool:
    """Return whether a server on this machine accepts a connection immediately.

    If that can't be found out, it does.
    """
    if sock.family == socket.AF_UNIX:
        return True
    with trio.move_on_after(ACCEPT_TIMEOUT):
        while not _is_accepted(sock):  # noqa: ASYNC110 - no event tells
            await trio.sleep(INTERVAL)
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
