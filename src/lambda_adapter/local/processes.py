"""Find a process's descendants, their memory and ports, and end them.

This uses psutil, because developers' machines may run macOS, which has no /proc. What
is asked again and again while an application starts is asked of Linux itself.
"""

import contextlib
import ctypes
import signal
import sys
import time
from collections.abc import Mapping, Sequence

import psutil

from lambda_adapter.app.procfs import Listener, find_sockets
from lambda_adapter.local.sock_diag import ListeningSocket, listening_sockets

POLL = 0.005
"""Seconds between two checks of processes that are ending."""

ENDED = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})

GONE = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants; nothing if it has ended."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except GONE:
        return []


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, on Linux.

    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def strays(name: str, value: str) -> list[psutil.Process]:
    """Return all processes with a variable, even daemons, which have left the tree."""
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
    """Wait until they have ended; return those that have not.

    A zombie counts as ended: if it is an orphan, init has to reap it.
    """
    limit = time.monotonic() + seconds
    while running := [process for process in processes if _runs(process)]:
        if time.monotonic() > limit:
            return running
        time.sleep(POLL)
    return []


def memory_mb(processes: Sequence[psutil.Process]) -> int:
    """Return the memory that they use, in MB.

    Shared memory counts once, if the system reports it (PSS).
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


def listeners(processes: Sequence[psutil.Process]) -> set[Listener]:
    """Return the hosts and TCP ports that they listen on."""
    with contextlib.suppress(OSError):
        return _listeners_by_inode(processes, listening_sockets())
    found: set[Listener] = set()
    for process in processes:
        with contextlib.suppress(*GONE):
            found |= {
                (each.laddr.ip, each.laddr.port)
                for each in process.net_connections("tcp")
                if each.status == psutil.CONN_LISTEN and each.laddr
            }
    return found


def _listeners_by_inode(
    processes: Sequence[psutil.Process], sockets: Mapping[int, ListeningSocket]
) -> set[Listener]:
    inodes = {inode for each in processes for inode in find_sockets(each.pid)}
    found = (sockets[inode] for inode in inodes & sockets.keys())
    return {(each.host, each.port) for each in found}


def listening(processes: Sequence[psutil.Process]) -> set[int]:
    """Return the TCP ports that they listen on."""
    return {port for _, port in listeners(processes)}


def owner(port: int) -> str:
    """Return the process that listens on a port, such as "python (pid 12)", or ""."""
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
