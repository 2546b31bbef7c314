"""A process and its descendants: memory, ports, and their end.

psutil, since this runs on developers' machines: macOS has no /proc.
"""

import contextlib
import ctypes
import signal
import sys
import time
from collections.abc import Sequence

import psutil

POLL = 0.005
"""Seconds between two looks at processes that are ending."""

ENDED = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants; nothing, if it has ended."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except GONE:
        return []


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, where Linux can do that.

    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def strays(name: str, value: str) -> list[psutil.Process]:
    """Return all processes with a variable: daemons are in nobody's tree."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(*GONE, OSError):
            if process.environ().get(name) == value:
                found.append(process)
    return found


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to each of them."""
    for process in processes:
        try:
            process.send_signal(number)
        except GONE:
            continue


def kill(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Kill each of them, and wait until they have ended."""
    send(processes, signal.SIGKILL)
    wait_ended(processes, seconds)


def wait_ended(
    processes: Sequence[psutil.Process], seconds: float
) -> list[psutil.Process]:
    """Wait until they have ended, and return those that have not by then.

    What has ended and waits to be reaped has ended: an orphan is init's to reap.
    """
    limit = time.monotonic() + seconds
    while running := [process for process in processes if _runs(process)]:
        if time.monotonic() > limit:
            return running
        time.sleep(POLL)
    return []


def memory_mb(processes: Sequence[psutil.Process]) -> int:
    """Return what they take of the memory, in MB.

    What several share counts once where the system says so (PSS).
    """
    total = 0
    for process in processes:
        try:
            info = process.memory_full_info()
        except GONE:
            continue
        total += int(getattr(info, "pss", 0) or info.rss)
    return round(total / 1_048_576)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() not in ENDED
    except GONE:
        return False


def listening(processes: Sequence[psutil.Process]) -> set[int]:
    """Return the TCP ports that they listen on."""
    ports: set[int] = set()
    for process in processes:
        try:
            connections = process.net_connections("tcp")
        except GONE:
            continue
        ports |= {
            connection.laddr.port
            for connection in connections
            if connection.status == psutil.CONN_LISTEN and connection.laddr
        }
    return ports


def owner(port: int) -> str:
    """Return who listens on a port, such as "python (pid 12)"; "" if nobody knows."""
    try:
        connections = psutil.net_connections("tcp")
    except GONE:
        return ""
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN
        if not listens or not connection.laddr or connection.laddr.port != port:
            continue
        try:
            return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
        except GONE:
            return f"pid {connection.pid}"
    return ""
