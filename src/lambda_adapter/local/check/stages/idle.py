"""Measure what an application does without requests."""

import contextlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec
import psutil
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.life import GO, Idle, ThreadUse, judge_idle
from lambda_adapter.local.check.subject import Subject
from lambda_adapter.local.sandbox.attempts import Connect

SETTLE = 1.1
"""Seconds for work of the last request to end: Node's HTTP waits 1 s."""


_GO_NOTE = b"\4\0\0\0Go\0\0"
"""Type and name of .note.go.buildid: https://go.dev/src/cmd/link/internal/ld/elf.go"""


_EPOLL = {"x86_64": ("232", "281", "441"), "aarch64": ("22", "441")}
"""The numbers of epoll_wait, epoll_pwait and epoll_pwait2."""


class _Thread(msgspec.Struct, frozen=True):
    process: str
    name: str
    is_main: bool
    switches: int
    in_loop: bool
    """Whether Python waits for events there, and for the next timer, as asyncio does:
    the servers of its library wait in poll(2), and look around twice a second."""


class _Look(msgspec.Struct, frozen=True):
    cpu: float
    threads: dict[int, _Thread]
    connects: dict[Connect, int]
    """How often each address was connected to, since the start."""


async def watch(subject: Subject) -> AsyncIterator[Finding]:
    """Send nothing for a while, and measure; twice, since garbage is collected.

    Activity counts only if it is there in both halves.
    """
    await trio.sleep(SETTLE)
    seconds = subject.settings.pace.idle
    first_line = len(subject.log.lines)
    looks = [await trio.to_thread.run_sync(_look_while_idle, subject)]
    for _ in range(2):
        await trio.sleep(seconds / 2)
        looks.append(await trio.to_thread.run_sync(_look_while_idle, subject))
    lines = [
        line
        for line in subject.log.lines[first_line:]
        if "lambda-adapter: " not in line
    ]
    connections = await trio.to_thread.run_sync(_idle_connections, subject)
    halves = list(itertools.pairwise(looks))
    cpu = min(later.cpu - before.cpu for before, later in halves) / (seconds / 2)
    threads = _thread_uses(looks, seconds / 2)
    started = _in_both_idle_halves(_started_while_idle(*half) for half in halves)
    connects = _in_both_idle_halves(
        _connected_while_idle(*half, subject) for half in halves
    )
    found = Idle(seconds, cpu, threads, lines, connections, started, connects)
    servers = await trio.to_thread.run_sync(programs, subject)
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
            all(look.threads[number].in_loop for look in looks),
        )
        for number, thread in looks[-1].threads.items()
        if all(number in look.threads for look in looks)
    ]


def _started_while_idle(before: _Look, later: _Look) -> set[str]:
    """Return the processes of threads that were started."""
    new = later.threads.keys() - before.threads.keys()
    return {later.threads[number].process for number in new}


def _connected_while_idle(before: _Look, later: _Look, subject: Subject) -> set[str]:
    """Return where the application has connected to."""
    own = {subject.port, *subject.ours}
    return {
        f"{each.by} to {each.host}:{each.port}"
        for each, count in later.connects.items()
        if count > before.connects.get(each, 0) and each.port not in own
    }


def _in_both_idle_halves(halves: Iterable[set[str]]) -> list[str]:
    return sorted(set.intersection(*halves))


def application(subject: Subject) -> list[psutil.Process]:
    """Return the application's processes: without the adapter's, if they differ."""
    tree = processes.tree(subject.environment.adapter.pid or 0)
    return tree if subject.options.config.is_in_process else tree[1:]


def _look_while_idle(subject: Subject) -> _Look:
    cpu = 0.0
    threads: dict[int, _Thread] = {}
    for process in application(subject):
        with contextlib.suppress(*processes.GONE, OSError):
            name = GO if _is_go_program(process.pid) else process.name()
            is_python = os.path.basename(process.exe()).startswith("python")
            cpu += _cpu_clock(process.pid)
            for number in map(int, os.listdir(f"/proc/{process.pid}/task")):
                main = number == process.pid
                in_loop = main and is_python and _waits_in_loop(process.pid)
                switches = _context_switches(process.pid, number)
                threads[number] = _Thread(
                    *(name, _thread_name(process.pid, number), main, switches, in_loop)
                )
    connects = dict(subject.jail.attempts.connects)
    return _Look(cpu, threads, connects)


def _is_go_program(pid: int) -> bool:
    """Return whether a program has the note of Go's linker, near its beginning."""
    with open(f"/proc/{pid}/exe", "rb") as file:
        return _GO_NOTE in file.read(4_096)


def _cpu_clock(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | 2)


def _thread_name(pid: int, number: int) -> str:
    with open(f"/proc/{pid}/task/{number}/comm") as file:
        return file.read().strip()


def _context_switches(pid: int, number: int) -> int:
    """Return how often a thread has gone to sleep."""
    with open(f"/proc/{pid}/task/{number}/status") as file:
        for line in file:
            if line.startswith("voluntary_ctxt_switches"):
                return int(line.split()[1])
    return 0


def _waits_in_loop(pid: int) -> bool:
    """Return whether a process's main thread waits in epoll: proc_pid_syscall(5)."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/syscall") as file:
        return file.read().partition(" ")[0] in _EPOLL.get(os.uname().machine, ())
    return False


def _idle_connections(subject: Subject) -> list[str]:
    """Return the outgoing connections that the application keeps open."""
    found: list[str] = []
    own = processes.listening(application(subject))
    runtime = subject.environment.runtime_port
    for process in application(subject):
        with contextlib.suppress(*processes.GONE, OSError):
            for each in process.net_connections("tcp"):
                if each.status != psutil.CONN_ESTABLISHED or not each.raddr:
                    continue
                if each.laddr.port not in own and each.raddr.port != runtime:
                    found.append(f"{each.raddr.ip}:{each.raddr.port}")
    return found


def programs(subject: Subject) -> list[str]:
    """Return the names of the application's programs."""
    names: list[str] = []
    for process in application(subject):
        with contextlib.suppress(*processes.GONE):
            words = [word.rpartition("/")[2] for word in process.cmdline()[:4]]
            names += [process.name(), *words]
    return names
