"""The processes of this system, as Linux shows them in /proc. Shell."""

import os
from collections.abc import Iterator
from typing import NamedTuple

ENDED = frozenset({"Z", "X"})
"""States of a process that no longer runs: a zombie, and one that is just going."""


class ProcessStat(NamedTuple):
    """What /proc/PID/stat says first."""

    pid: int
    state: str
    parent: int
    group: int


def list_processes() -> Iterator[ProcessStat]:
    """Return what can be seen of all processes; without /proc, there are none.

    Reading this takes milliseconds, so it is for an application's end, and for when
    something has gone wrong.
    """
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in filter(str.isdigit, names):
        try:
            stat = read_proc(f"{name}/stat")
        except OSError:  # it has just ended
            continue
        yield parse_stat(stat)


def parse_stat(stat: str) -> ProcessStat:
    """Read /proc/PID/stat.

    The name is in parentheses, and may hold parentheses, spaces and line breaks:
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    pid, _, _ = stat.partition(" ")
    state, parent, group, *_ = stat.rpartition(")")[2].split()
    return ProcessStat(int(pid), state, int(parent), int(group))


def read_proc(name: str) -> str:
    """Return a file of /proc.

    Raises:
        OSError: there is none.
    """
    with open(f"/proc/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()
