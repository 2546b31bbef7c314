"""Start the application, until it is ready or known never to be."""

import contextlib
import math
import time
from collections.abc import Callable

import msgspec
import psutil
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.stages.unix_sockets import unix_sockets
from lambda_adapter.local.check.subject import Subject
from lambda_adapter.local.environment import EndedError
from lambda_adapter.local.sock_diag import listening_sockets

LOOK = 0.3
"""Seconds between two checks of an application's ports."""

UNHEALTHY = 8
"""Responses of 500 and above after which the check gives up."""

DNS = 53
"""The port of name servers: what is looked up is connected to next."""

STEADY = 1.0
"""Seconds that an application must listen elsewhere to be reported."""


MAPPED = "::ffff:"
"""Before an IPv4 address at which an IPv6 socket listens, as Java's do."""


class Listener(msgspec.Struct, frozen=True):
    """An address that the application listens on."""

    host: str
    port: int


class Beginning(msgspec.Struct):
    """The result of a start."""

    ready: bool = False
    wall: float = 0.0
    """Seconds until the application was ready."""
    cpu: float = 0.0
    """CPU seconds of all processes until then."""
    waits: float = 0.0
    """Seconds in which no process had work."""
    seen_up: tuple[float, float] = (math.inf, math.inf)
    """``cpu`` and ``waits`` when it was first seen to respond: a busy adapter sees it
    later, and the application may work meanwhile."""
    listeners: tuple[Listener, ...] = ()
    unix_socket: str = ""
    """A Unix socket at which it listens, if it listens at nothing else."""
    problem: str = ""
    """Why it is not ready, in one line."""
    hindered: bool = False
    """Whether this machine causes the ``problem``."""
    ended: bool = False
    """Whether the processes have exited by themselves."""
    is_accepting: bool = True
    """Whether connections are taken where it listens; if not, it is still starting."""
    readiness_status: int = 0
    """Status of the readiness path; 0 for no response in time."""
    readiness_seconds: float = 0.0
    unhealthy: int = 0
    """How often the readiness path returned 500 or above."""
    waits_for: tuple[str, ...] = ()
    """What it connects to again and again, or without a response."""
    killed: str = ""
    peak_mb: float = 0.0
    lines: list[str] = []


async def begin(subject: Subject, progress: Callable[[str], None]) -> Beginning:
    """Start the application, and return the result."""
    found = Beginning()
    began = time.monotonic()
    progress("starting the application")
    first_line = len(subject.log.lines)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_find_place, subject, found, nursery.cancel_scope)
        try:
            await subject.function.start()
            found.ready = subject.environment.alive
        except EndedError as error:
            found.problem = str(error.problem or error)
            found.ended = error.problem is None
            found.hindered = error.problem is not None
        nursery.cancel_scope.cancel()
    await trio.lowlevel.checkpoint_if_cancelled()
    found.wall = time.monotonic() - began
    _measure_start(subject, found)
    if not found.listeners:
        found.listeners = await trio.to_thread.run_sync(_listeners, subject)
    if found.listeners and not found.ready and subject.has_port:
        found.is_accepting = not await trio.to_thread.run_sync(
            _has_waiting_connection, subject.port
        )
    if not found.listeners and not found.ready:
        found.unix_socket = await trio.to_thread.run_sync(
            _listening_unix_socket, subject
        )
    if not found.ready:
        found.waits_for = await trio.to_thread.run_sync(_unanswered_connects, subject)
    if found.ready and subject.has_port:
        await _ask_readiness(subject, found)
    found.lines = subject.log.lines[first_line:]
    return found


def _measure_start(subject: Subject, found: Beginning) -> None:
    environment = subject.function.environment
    governor = environment.jail.governor if environment and environment.jail else None
    if governor:
        cpu, waits = found.seen_up
        found.cpu = min(governor.cpu_seconds, cpu)
        found.waits = min(governor.waiting_seconds, waits)
        found.killed = governor.killed
        found.peak_mb = governor.peak_bytes / 1_048_576


async def _find_place(
    subject: Subject, found: Beginning, start: trio.CancelScope
) -> None:
    """Record where the application listens; end a start that waits elsewhere."""
    since = trio.current_time()
    config = subject.options.config
    while True:
        await trio.sleep(LOOK)
        if not subject.has_port or subject.function.environment is None:
            continue
        is_up = 0 < found.readiness_status < 500  # and the adapter will see it
        if _lambda_seconds(subject) > _start_patience(subject) and not is_up:
            start.cancel()
            return
        there = await trio.to_thread.run_sync(_listeners, subject)
        found.listeners = there or found.listeners
        right = [
            each for each in there if _reaches_listener(each, config.host, config.port)
        ]
        if right or not there:
            await _look_at_readiness(subject, found, since, right=bool(right))
            if found.unhealthy >= UNHEALTHY:
                found.problem = "it is not healthy"
                start.cancel()
                return
            if not right:
                since = trio.current_time()
        elif trio.current_time() - since >= STEADY:
            found.problem = "it listens elsewhere"
            start.cancel()
            return


def _start_patience(subject: Subject) -> float:
    """Return the seconds for a start: twice as many while it mostly computes.

    Then it ends, and what it needs at each memory size is known.
    """
    environment = subject.function.environment
    governor = environment.jail.governor if environment and environment.jail else None
    seconds = subject.settings.pace.init
    computes = governor and governor.waiting_seconds < seconds / 2
    return seconds * 2 if computes else seconds


def _lambda_seconds(subject: Subject) -> float:
    """Return the seconds of a start so far, without this machine's own load."""
    environment = subject.function.environment
    governor = environment.jail.governor if environment and environment.jail else None
    return governor.elapsed - governor.queued_seconds if governor else 0.0


async def _look_at_readiness(
    subject: Subject, found: Beginning, since: float, *, right: bool
) -> None:
    """Record the readiness path's status while the adapter waits for it."""
    if right and trio.current_time() - since > STEADY:
        await _ask_readiness(subject, found)
        found.unhealthy += found.readiness_status >= 500
        governor = subject.jail.governor
        if governor and 0 < found.readiness_status < 500:
            now = (governor.cpu_seconds, governor.waiting_seconds)
            found.seen_up = min(found.seen_up, now)


async def _ask_readiness(subject: Subject, found: Beginning) -> None:
    """Record how the beginning application responds at its readiness path."""
    path = subject.options.config.readiness_path
    direct = await subject.ask_directly(Target(path), 5.0, host="127.0.0.1")
    found.readiness_status = direct.status
    found.readiness_seconds = direct.first_byte


def _reaches_listener(listener: Listener, host: str, port: int) -> bool:
    """Return whether a connection to a host and port reaches a listener."""
    if listener.port != port:
        return False
    everywhere = ("0.0.0.0", "::", "*")
    if listener.host in everywhere or listener.host == host:
        return True
    return host == "localhost" and listener.host in ("127.0.0.1", "::1")


def _listeners(subject: Subject) -> tuple[Listener, ...]:
    """Return the addresses on which the application listens."""
    environment = subject.function.environment
    pid = environment.adapter.pid if environment else None
    if not pid:
        return ()
    in_process = subject.options.config.is_in_process
    tree = processes.tree(pid)
    found = {
        (host.removeprefix(MAPPED), port)
        for host, port in processes.listeners(tree if in_process else tree[1:])
    }
    return tuple(Listener(*each) for each in sorted(found))


def _has_waiting_connection(port: int) -> bool:
    """Return whether a connection to a port waits to be accepted."""
    with contextlib.suppress(OSError):
        sockets = listening_sockets().values()
        return any(each.port == port and each.waiting for each in sockets)
    return False


def _listening_unix_socket(subject: Subject) -> str:
    environment = subject.function.environment
    pid = environment.adapter.pid if environment else None
    if not pid or not subject.has_port:
        return ""
    return next(iter(unix_sockets(processes.tree(pid)[1:])), "")


def _unanswered_connects(subject: Subject) -> tuple[str, ...]:
    """Return what the application connects to, and is not connected with."""
    environment = subject.function.environment
    if environment is None or environment.jail is None or not environment.adapter.pid:
        return ()
    counts = {
        (each.host, each.port): count
        for each, count in list(environment.jail.attempts.connects.items())
        if each.port not in {0, DNS, subject.port, *subject.ours}
    }
    hangs: set[tuple[str, int]] = set()
    connected: set[tuple[str, int]] = set()
    for process in processes.tree(environment.adapter.pid)[1:]:
        with contextlib.suppress(*processes.GONE, OSError):
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_SYN_SENT and each.raddr:
                    hangs.add((each.raddr.ip, each.raddr.port))
                elif each.status == psutil.CONN_ESTABLISHED and each.raddr:
                    connected.add((each.raddr.ip, each.raddr.port))
    again = {place for place, count in counts.items() if count > 1} - connected
    return tuple(f"{host}:{port}" for host, port in sorted(hangs | again))
