"""Judge what an application does between its requests."""

from collections.abc import Iterator, Sequence

import msgspec

from lambda_adapter.local.check.finding import (
    Finding,
    Status,
    failure,
    passed,
    warning,
)

IDLE_SHARE = 0.02
"""Fraction of a CPU that counts as use while there are no requests."""

WAKES = 0.15
"""Wake-ups per second of one thread that count as a timer, in each half."""


UVICORN = 12.0
"""Wake-ups a second of uvicorn beyond which the application has timers: by itself it
wakes up ten times: https://github.com/encode/uvicorn, server.py, main_loop."""


class ThreadUse(msgspec.Struct, frozen=True):
    """A thread's activity per second while there were no requests."""

    process: str
    name: str
    is_main: bool
    wakes: float
    in_loop: bool = False
    """Whether it is the main thread of a loop of Python's events, such as asyncio's."""


class Idle(msgspec.Struct, frozen=True):
    """The application's activity while there were no requests."""

    seconds: float
    cpu: float
    """CPU seconds per second, of all processes except the adapter."""
    threads: Sequence[ThreadUse]
    lines: Sequence[str]
    connections: Sequence[str]
    """Outgoing connections, such as 10.0.0.1:5432."""
    started: Sequence[str] = ()
    """Programs that started threads or processes, all the time."""
    connects: Sequence[str] = ()
    """What was connected to all the time: ``python to 10.0.0.1:5432``."""


_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "waitress", "granian", "nginx", "httpd")
"""Servers whose main threads wake up by themselves, for workers or the date."""

_VIRTUAL_MACHINE = (
    *("VM Periodic", "VM Thread", "C1 Comp", "C2 Comp", "G1 ", "GC Thread", "Sweeper"),
    *("Common-Cleaner", "Monitor Deflat", "Signal Dis", "Reference", "Finalizer"),
    *("http-nio", "Catalina", "container-", "Notification", "Service Thread", "Serial"),
    *("Attach", "main", "DestroyJava", "Tomcat", "Acceptor", "HTTP-Dispatcher"),
    *("idle-timeout", "server-timer"),
)
"""Threads of a Java virtual machine, its HTTP server and Tomcat, by how their names
begin."""

GO = "Go"
"""What a program is called here that Go's compiler has made, whatever its name."""

_TIMED = ("node", "ruby", "deno", "bun", GO)
"""Programs whose main thread sleeps until something happens, or a timer is due."""


def judge_idle(idle: Idle, servers: Sequence[str]) -> Iterator[Finding]:
    """Return findings for activity without requests, which Lambda freezes."""
    if idle.cpu >= IDLE_SHARE:
        yield warning(
            "idle-cpu",
            f"uses {idle.cpu:.0%} of a CPU while there is no request",
            seen=f"watched for {idle.seconds:.1f} s",
            on_lambda="it is frozen between requests, so such work stands still, and"
            " during a request it takes CPU from it",
            cure="move it to a schedule of EventBridge, or to a queue's consumer",
            page="how-to/background-work.md",
        )
    named = [
        f"{each.process} {each.wakes:.1f} times a second"
        for each in idle.threads
        if _is_timer(each, servers)
    ]
    named += [f"{x} starts threads" for x in idle.started if not _is_java(x)]
    named += [f"connects: {each}" for each in idle.connects]
    if named or idle.lines:
        yield warning(
            "timers",
            "works by timers in the background while there is no request",
            seen="; ".join([*named[:3], *(f"printed: {x}" for x in idle.lines[:2])]),
            on_lambda="timers stand still while it is frozen, for minutes or hours, and"
            " are all due at the thaw",
            cure="move it to a schedule of EventBridge; do it in a request, if its time"
            " has come",
            page="how-to/background-work.md",
        )
    if idle.connections:
        yield _warn_of_connections(idle.connections)
    if idle.cpu < IDLE_SHARE and not named and not idle.lines:
        yield passed("idle-cpu", "does nothing while there is no request")


def _warn_of_connections(connections: Sequence[str]) -> Finding:
    shown = ", ".join(sorted(set(connections))[:5])
    return warning(
        "connections",
        f"keeps connections open while it is idle: {shown}",
        on_lambda="the other end closes them while it is frozen, and the next use"
        " fails",
        cure="a pool that tests a connection before use (pool_pre_ping=True), or"
        " a retry",
    )


def _is_timer(thread: ThreadUse, servers: Sequence[str]) -> bool:
    if thread.wakes < WAKES:
        return False
    if _is_java(thread.process):
        return not thread.name.startswith(_VIRTUAL_MACHINE)
    if not thread.is_main:
        return thread.process.startswith(("python", "gunicorn", "uvicorn", "ruby", GO))
    known = [each for each in servers if each in _SERVERS]
    if "uvicorn" in known and "gunicorn" not in known:
        return thread.wakes > UVICORN
    return (thread.in_loop or thread.process.startswith(_TIMED)) and not known


def _is_java(process: str) -> bool:
    """Return whether it is a virtual machine, which starts compilers when it likes."""
    return process == "java"


class Thaw(msgspec.Struct, frozen=True):
    """The result of requests after a freeze."""

    title: str
    before: int
    after: int
    seconds: float
    why: str


def judge_thaw(
    frozen: float, thaws: Sequence[Thaw], lines: Sequence[str], ended: Sequence[str]
) -> Iterator[Finding]:
    """Judge whether requests after a freeze are served as before."""
    bad = [each for each in thaws if each.after != each.before and each.after >= 500]
    cure = "gunicorn: --timeout 0; others: no timeout that counts time while frozen"
    if bad:
        yield failure(
            "thaw",
            f"after {frozen:.0f} s of freeze, {bad[0].title} gets {bad[0].after}",
            seen=next(iter([*lines, bad[0].why]), ""),
            on_lambda="it is frozen between requests, for minutes or hours",
            cure=cure,
        )
    elif ended or lines:
        yield failure(
            "thaw",
            f"after {frozen:.0f} s of freeze, processes end: {', '.join(ended)}"
            if ended
            else f"after {frozen:.0f} s of freeze, the server replaces its workers",
            seen=next(iter(lines), ""),
            on_lambda="clocks continue while it is frozen, and what counts their time"
            " ends its workers at the thaw, now and then within a request",
            cure=cure,
        )
    else:
        yield passed("thaw", f"serves as before after {frozen:.0f} s of freeze")


def without_late_work(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Return findings in which work while idle explains late requests."""
    late = [each for each in findings if _is_late(each)]
    has_work = any(each.kind == "idle-cpu" and each.seen for each in findings)
    for finding in findings:
        if finding.kind == "idle-cpu" and finding.seen and late:
            seen = f"{finding.seen}; {late[0].title}"
            yield msgspec.structs.replace(finding, status=Status.FAILURE, seen=seen)
        elif finding not in late or not has_work:
            yield finding


def _is_late(finding: Finding) -> bool:
    if finding.kind == "thaw":
        return "timed out" in finding.seen
    return finding.kind == "request-failure" and " returns 504 " in finding.title


def judge_worker(
    killed: str, after: Sequence[int], seconds: float, *, left: int, before: int
) -> Finding:
    """Return whether requests are served after one of several processes has died.

    Args:
        killed: the name of its program.
        after: the statuses of requests after that.
        seconds: how long it was waited for another one.
        left: how many such processes there are now.
        before: how many there were.
    """
    if after and 0 < after[-1] < 500:
        if 0 < left < before:  # what needs none of them does not serve by them
            return warning(
                "worker",
                f"a worker ({killed}) that was killed is not replaced: {left} of"
                f" {before} are left",
                on_lambda="with the last worker that dies, the environment fails every"
                " request, and lives on",
                cure="start workers again (cluster.on('exit', () => cluster.fork())),"
                " or end with the last one",
            )
        return passed("worker", f"continues after a worker ({killed}) was killed")
    return failure(
        "worker",
        f"serves nobody {seconds:.0f} s after a worker ({killed}) was killed",
        seen=f"statuses: {', '.join(map(str, after[:8]))}",
        on_lambda="the environment lives on as long as its main process, and fails"
        " every request",
        cure="a server that starts workers again, or that ends with its worker:"
        " exec in a shell script",
    )


def judge_sigterm(seconds: float, *, in_time: bool) -> Finding:
    """Judge whether the application exits on SIGTERM."""
    if in_time:
        after = f"{seconds * 1000:.0f} ms after" if seconds else "on"
        return passed("sigterm", f"ends {after} SIGTERM")
    return warning(
        "sigterm",
        "does not end on SIGTERM, and is killed",
        on_lambda="Lambda kills it 0.5 s after SIGTERM: buffers are lost, and what ends"
        " in order does not",
        cure="handle SIGTERM in the server's process; exec in a shell script, so that"
        " it gets there",
        page="how-to/shutdown.md",
    )


def judge_one_worker(
    seen: str = "a half-sent request kept another one waiting for 2 s",
) -> Finding:
    """Return the finding for a server that serves one connection at a time."""
    return warning(
        "one-worker",
        "serves one connection at a time",
        seen=seen,
        on_lambda="a request that times out keeps the only worker busy: the environment"
        " is ended, and the next request waits for a cold start",
        cure="gunicorn --threads 4; php: PHP_CLI_SERVER_WORKERS=4; uvicorn, waitress or"
        " another server with threads or an event loop",
    )
