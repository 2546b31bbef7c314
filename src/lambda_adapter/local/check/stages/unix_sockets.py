"""Unix sockets that processes listen at."""

import contextlib
import os
from collections.abc import Sequence

import psutil

from lambda_adapter.local import processes

_LISTENS = 0x0001_0000
"""SO_ACCEPTCON among the flags of /proc/net/unix: proc_pid_net(5)."""

_FLAGS, _INODE, _PATH = 3, 6, 7
"""Columns of /proc/net/unix."""


def unix_sockets(tree: Sequence[psutil.Process]) -> list[str]:
    """Return the paths at which processes listen; what has no path is left out."""
    paths = _listening()
    found: list[str] = []
    for process in tree:
        with contextlib.suppress(*processes.GONE, OSError):
            folder = f"/proc/{process.pid}/fd"
            for number in os.listdir(folder):
                link = os.readlink(f"{folder}/{number}")
                if path := paths.get(link.removeprefix("socket:[").removesuffix("]")):
                    found.append(path)
    return sorted(set(found))


def _listening() -> dict[str, str]:
    """Return the path of each listening socket, by its inode."""
    try:
        with open("/proc/net/unix") as file:
            rows = [line.split() for line in file.readlines()[1:]]
    except OSError:
        return {}
    return {
        row[_INODE]: row[_PATH]
        for row in rows
        if len(row) > _PATH and int(row[_FLAGS], 16) & _LISTENS and row[_PATH][0] == "/"
    }
