"""Measure what is used without requests, and what grows with them."""

import contextlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec
import psutil
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.causes import find_cause
from lambda_adapter.local.check.rules.disk import judge_tmp
from lambda_adapter.local.check.rules.life import GO, Idle, ThreadUse, judge_idle
from lambda_adapter.local.check.rules.requests import judge_crash, judge_failed
from lambda_adapter.local.check.rules.resources import Weight, judge_growth
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.subject import Subject
from lambda_adapter.local.sandbox.attempts import Connect

SETTLE = 1.1
"""Seconds for work of the last request to end: Node's HTTP waits 1 s."""

MIN_REQUESTS = 100
"""Minimum requests that show growth."""

STEPS = 10
"""How often to measure the processes while requests are sent."""


_GO_NOTE = b"\4\0\0\0Go\0\0"
"""Type and name of .note.go.buildid: https://go.dev/src/cmd/link/internal/ld/elf.go"""


class _Thread(msgspec.Struct, frozen=True):
    process: str
    name: str
    is_main: bool
    switches: int


class _Look(msgspec.Struct, frozen=True):
    cpu: float
    threads: dict[int, _Thread]
    connects: dict[Connect, int]
    """How often each address was connected to, since the start."""


async def idle(subject: Subject) -> AsyncIterator[Finding]:
    """Send nothing for a while, and measure; twice, since garbage is collected.

    Activity counts only if it is there in both halves.
    """
    await trio.sleep(SETTLE)
    seconds = subject.settings.pace.idle
    first_line = len(subject.log.lines)
    looks = [await trio.to_thread.run_sync(_look, subject)]
    for _ in range(2):
        await trio.sleep(seconds / 2)
        looks.append(await trio.to_thread.run_sync(_look, subject))
    lines = [
        line
        for line in subject.log.lines[first_line:]
        if "lambda-adapter: " not in line
    ]
    connections = await trio.to_thread.run_sync(_connections, subject)
    halves = list(itertools.pairwise(looks))
    cpu = min(later.cpu - before.cpu for before, later in halves) / (seconds / 2)
    threads = _thread_uses(looks, seconds / 2)
    started = _in_both(_started(*half) for half in halves)
    connects = _in_both(_connected(*half, subject) for half in halves)
    found = Idle(seconds, cpu, threads, lines, connections, started, connects)
    servers = await trio.to_thread.run_sync(_servers, subject)
    for finding in judge_idle(found, servers):
        yield finding


def _thread_uses(looks: Sequence[_Look], seconds: float) -> list[ThreadUse]:
    """Return what each thread did that was there all the time."""
    return [
        ThreadUse(
            thread.process,
            thread.name,
            thread.is_main,
            min(
                later.threads[number].switches - before.threads[number].switches
                for before, later in itertools.pairwise(looks)
            )
            / seconds,
        )
        for number, thread in looks[-1].threads.items()
        if all(number in look.threads for look in looks)
    ]


def _started(before: _Look, later: _Look) -> set[str]:
    """Return the processes of threads that were started."""
    new = later.threads.keys() - before.threads.keys()
    return {later.threads[number].process for number in new}


def _connected(before: _Look, later: _Look, subject: Subject) -> set[str]:
    """Return where the application has connected to."""
    own = {subject.port, *subject.ours}
    return {
        f"{each.by} to {each.host}:{each.port}"
        for each, count in later.connects.items()
        if count > before.connects.get(each, 0) and each.port not in own
    }


def _in_both(halves: Iterable[set[str]]) -> list[str]:
    return sorted(set.intersection(*halves))


def _application(subject: Subject) -> list[psutil.Process]:
    """Return the application's processes: without the adapter's, if they differ."""
    tree = processes.tree(subject.environment.adapter.pid or 0)
    return tree if subject.options.config.is_in_process else tree[1:]


def _look(subject: Subject) -> _Look:
    cpu = 0.0
    threads: dict[int, _Thread] = {}
    for process in _application(subject):
        with contextlib.suppress(*processes.GONE, OSError):
            name = GO if _is_go(process.pid) else process.name()
            cpu += _cpu(process.pid)
            for number in map(int, os.listdir(f"/proc/{process.pid}/task")):
                main = number == process.pid
                threads[number] = _thread(process.pid, number, name, main=main)
    connects = dict(subject.jail.attempts.connects)
    return _Look(cpu, threads, connects)


def _is_go(pid: int) -> bool:
    """Return whether a program has the note of Go's linker, near its beginning."""
    with open(f"/proc/{pid}/exe", "rb") as file:
        return _GO_NOTE in file.read(4_096)


def _cpu(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | 2)


def _thread(pid: int, number: int, process: str, *, main: bool) -> _Thread:
    place = f"/proc/{pid}/task/{number}"
    with open(f"{place}/comm") as file:
        name = file.read().strip()
    with open(f"{place}/status") as file:
        for line in file:
            if line.startswith("voluntary_ctxt_switches"):
                return _Thread(process, name, main, int(line.split()[1]))
    return _Thread(process, name, main, 0)


def _connections(subject: Subject) -> list[str]:
    """Return the outgoing connections that the application keeps open."""
    found: list[str] = []
    own = processes.listening(_application(subject))
    runtime = subject.environment.runtime_port
    for process in _application(subject):
        with contextlib.suppress(*processes.GONE, OSError):
            for each in process.net_connections("tcp"):
                if each.status != psutil.CONN_ESTABLISHED or not each.raddr:
                    continue
                if each.laddr.port not in own and each.raddr.port != runtime:
                    found.append(f"{each.raddr.ip}:{each.raddr.port}")
    return found


def _servers(subject: Subject) -> list[str]:
    """Return the names of the application's programs."""
    names: list[str] = []
    for process in _application(subject):
        with contextlib.suppress(*processes.GONE):
            words = [word.rpartition("/")[2] for word in process.cmdline()[:4]]
            names += [process.name(), *words]
    return names


async def grow(
    subject: Subject, progress: Callable[[str], None]
) -> AsyncIterator[Finding]:
    """Send many requests, and measure what grows with them."""
    paths = [
        path
        for path, page in subject.pages.items()
        if page.status < 500 and len(page.body) < 500_000
    ][:10] or [subject.options.config.readiness_path]
    total = subject.settings.pace.requests
    weights = [await trio.to_thread.run_sync(_weigh, subject, 0)]
    first_line = len(subject.log.lines)
    until = trio.current_time() + subject.settings.pace.growth
    governor = subject.jail.governor
    used = governor.cpu_seconds if governor else 0.0
    number = 0
    for number in range(1, total + 1):
        if trio.current_time() > until and number > MIN_REQUESTS:
            break
        path = paths[number % len(paths)]
        outcome = await subject.ask(Target(path))
        if outcome.status >= 500 and not outcome.late:
            for finding in _judge_failure(subject, path, outcome.status, first_line):
                yield finding
            break
        if number % (total // STEPS) == 0:
            progress(f"request {number} of {total}")
            weights.append(await trio.to_thread.run_sync(_weigh, subject, number))
    if governor and number:
        subject.request_cpu = (governor.cpu_seconds - used) / number
    subject.weights = [(each.requests, each.memory_mb) for each in weights]
    is_java = "java" in await trio.to_thread.run_sync(_servers, subject)
    for finding in judge_growth(weights, subject.settings.memory_mb, is_java=is_java):
        yield finding
    first, last = weights[len(weights) // 2], weights[-1]
    asked = max(last.requests - first.requests, 1)
    growth = (last.tmp_mb - first.tmp_mb) / asked
    for finding in judge_tmp(last.tmp_mb, subject.settings.tmp_mb, growth):
        yield finding


def _judge_failure(
    subject: Subject, path: str, status: int, first_line: int
) -> list[Finding]:
    cause = find_cause(subject.log.lines[first_line:])
    line = cause.line if cause else ""
    governor = subject.jail.governor
    if governor and governor.killed:
        return []
    if not subject.environment.alive:
        return [judge_crash(path, "", line)]
    found = judge_failed(path, status, line)
    if cause and cause.kind in ("tmp", "descriptors", "processes", "memory"):
        found = msgspec.structs.replace(found, kind=cause.kind)
    return [found]


def _weigh(subject: Subject, requests: int) -> Weight:
    memory = 0.0
    descriptors = threads = 0
    for process in _application(subject):
        try:
            threads += process.num_threads()
            memory += _proportional_mb(process)
            descriptors += process.num_fds()
        except (*processes.GONE, OSError):
            threads += 1  # a zombie
    jail = subject.environment.jail
    tmp = jail.tmp_used_mb() if jail else 0
    return Weight(requests, memory, descriptors, threads, tmp)


def _proportional_mb(process: psutil.Process) -> float:
    info = process.memory_full_info()
    return float(getattr(info, "pss", 0) or info.rss) / 1_048_576
