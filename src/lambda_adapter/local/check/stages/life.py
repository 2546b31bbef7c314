"""Freeze and thaw, kill a worker, hold a connection, and end the application."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.causes import find_cause
from lambda_adapter.local.check.rules.gunicorn import config_path, judge_gunicorn
from lambda_adapter.local.check.rules.life import (
    Thaw,
    judge_one_worker,
    judge_sigterm,
    judge_thaw,
    judge_worker,
)
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.stages.living import living
from lambda_adapter.local.check.subject import HOST, Outcome, Subject

HELD = 2.0
"""Timeout of another request beside a half-sent one, in seconds."""

IN_TIME = 1.5
"""Seconds after which SIGTERM counts as ignored. Lambda gives 0.5, the adapter 2
locally; a server that checks once a second, as gunicorn does, loses nothing."""

REPLACED = 10.0
"""Seconds until a worker that was killed has to be replaced."""

QUEUED = 1.5
"""Seconds of waiting for this machine's CPU after which the end is not judged."""

KILLED = "did not end on SIGTERM"
"""What the adapter's line has when it kills an application: app/process.py."""

WORKER = 25.0
"""Seconds for a killed worker to be replaced: it starts as slowly as the application,
and this machine may be busy."""


async def freeze(subject: Subject) -> AsyncIterator[Finding]:
    """Freeze, thaw with a POST, then GET, and compare with before."""
    path = subject.options.config.readiness_path
    get = Target(path)
    post = Target(path, "POST", [(b"Content-Type", b"text/plain")], b"hello")
    targets = (post, get)
    before = [await subject.ask(each) for each in targets]
    if any(each.late for each in before):
        return  # nothing to compare with
    seconds = subject.settings.pace.freeze
    first_line = len(subject.log.lines)
    alive = await trio.to_thread.run_sync(living, subject)
    subject.environment.adapter.freeze()
    await trio.sleep(seconds)
    outcomes: list[Outcome] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_thaw, subject)
        outcomes.append(await subject.ask(post))
    outcomes.append(await subject.ask(get))
    thaws = [
        Thaw(target.title, one.status, other.status, other.seconds, other.failure)
        for target, one, other in zip(targets, before, outcomes, strict=True)
    ]
    await trio.sleep(0.3)  # what timers end, they end now
    left = await trio.to_thread.run_sync(living, subject)
    ended = sorted({name for pid, name in alive.items() if pid not in left})
    cause = find_cause(subject.log.lines[first_line:])
    lines = [cause.line] if cause and cause.kind == "thaw" else []
    findings = list(judge_thaw(seconds, thaws, lines, ended))
    command, config = await trio.to_thread.run_sync(_find_gunicorn, subject)
    if command and all(each.status == "pass" for each in findings):
        findings = list(judge_gunicorn(command, seconds, config)) or findings
    for finding in findings:
        yield finding


async def _thaw(subject: Subject) -> None:
    subject.environment.adapter.thaw()


def _find_gunicorn(subject: Subject) -> tuple[list[str], str]:
    """Return the command and the configuration of a gunicorn, if there is one."""
    pid = subject.environment.adapter.pid or 0
    for process in processes.tree(pid)[1:]:
        with contextlib.suppress(*processes.GONE):
            command = process.cmdline()
            if any(word.rpartition("/")[2] == "gunicorn" for word in command[:3]):
                words = [*command, *_gunicorn_environ_options(process)]
                return words, _read_gunicorn_config(process.cwd(), config_path(words))
    return [], ""


def _gunicorn_environ_options(process: psutil.Process) -> list[str]:
    return process.environ().get("GUNICORN_CMD_ARGS", "").split()


def _read_gunicorn_config(folder: str, path: str) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return Path(folder, path).read_text("utf-8")
    return ""


async def one_at_a_time(subject: Subject) -> AsyncIterator[Finding]:
    """Hold a half-sent request, and check whether another one is served meanwhile."""
    if not subject.has_port:
        return
    target = Target(subject.options.config.readiness_path)
    plain = await subject.ask_directly(target, HELD)
    if not plain.status:
        return
    with contextlib.suppress(OSError, trio.BrokenResourceError):
        host = subject.options.config.host
        async with await trio.open_tcp_stream(host, subject.port) as stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: " + HOST.encode())
            await trio.sleep(0.1)
            other = await subject.ask_directly(target, HELD + plain.seconds)
        if not other.status:
            yield judge_one_worker()
            await subject.ask_directly(target, HELD)
            return
    # PHP's own server reads requests side by side, and serves one after the other.
    if command := await trio.to_thread.run_sync(_find_php_server, subject):
        yield judge_one_worker(command)


def _find_php_server(subject: Subject) -> str:
    pid = subject.environment.adapter.pid or 0
    for process in processes.tree(pid)[1:]:
        with contextlib.suppress(*processes.GONE):
            command = process.cmdline()
            if process.name().startswith("php") and "-S" in command:
                workers = process.environ().get("PHP_CLI_SERVER_WORKERS", "1")
                return " ".join(command) if workers == "1" else ""
    return ""


async def kill_worker(subject: Subject) -> AsyncIterator[Finding]:
    """Kill one of several serving processes, and check whether requests are served."""
    workers = await trio.to_thread.run_sync(_find_workers, subject)
    if not workers or not subject.has_port:
        return
    target = Target(subject.options.config.readiness_path)
    before = await subject.ask_directly(target, HELD * 2)
    if before.status >= 500:
        return  # it failed before as well
    name = workers[0].name()
    with contextlib.suppress(*processes.GONE):
        workers[0].kill()
    began = time.monotonic()
    statuses: list[int] = []
    while time.monotonic() - began < WORKER:
        # Directly: a late request through Lambda would end the environment.
        direct = await subject.ask_directly(target, HELD * 2)
        statuses.append(direct.status)
        if 0 < direct.status < 500:
            break
        await trio.sleep(0.2)
    left = len(workers)
    if not name.startswith("php"):  # its server, for development, replaces none
        left = await _count_workers(subject, left, began)
    yield judge_worker(
        name, statuses, time.monotonic() - began, left=left, before=len(workers)
    )


async def _count_workers(subject: Subject, before: int, began: float) -> int:
    """Return how many workers there are, once they are as many as before."""
    while True:
        left = len(await trio.to_thread.run_sync(_find_workers, subject))
        if left >= before or time.monotonic() - began > REPLACED:
            return left
        await trio.sleep(0.2)


def _find_workers(subject: Subject) -> list[psutil.Process]:
    """Return the processes without children that listen, where their parent does.

    Or that run the same program as their parent: workers of a pool that forks.
    """
    pid = subject.environment.adapter.pid or 0
    tree = processes.tree(pid)
    known = {each.pid: each for each in tree[1:]}
    found: list[psutil.Process] = []
    for process in tree[2:]:
        with contextlib.suppress(*processes.GONE):
            parent = known.get(process.ppid())
            if process.status() in processes.ENDED or not parent:
                continue
            if parent.name() == process.name() and not process.children():
                listens = processes.listening([process, parent])
                if subject.port in listens:
                    found.append(process)
    return found


async def end(subject: Subject) -> AsyncIterator[Finding]:
    """Send SIGTERM as Lambda does, and check whether the application exits in time."""
    environment = subject.function.environment
    if environment is None or not environment.alive:
        return
    began = time.monotonic()
    governor = subject.jail.governor
    queued = governor.queued_seconds if governor else 0.0
    late = _own_queued_seconds()
    killed: list[float] = []

    def note(line: str) -> None:
        if KILLED in line:
            killed.append((governor.queued_seconds if governor else 0.0) - queued)

    subject.log.on_line = note
    await environment.end()
    seconds = time.monotonic() - began
    if killed and killed[0] > QUEUED:
        return  # this machine is too busy to say
    # Without what this machine did meanwhile.
    seconds -= (governor.queued_seconds if governor else 0.0) - queued
    net = max(seconds - (_own_queued_seconds() - late), 0.0)
    yield judge_sigterm(net, in_time=not killed and net <= IN_TIME)


def _own_queued_seconds() -> float:
    """Return the seconds for which this thread has waited for a CPU of this machine."""
    with contextlib.suppress(OSError), open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0
