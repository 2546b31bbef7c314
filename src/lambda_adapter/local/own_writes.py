"""Find out whether the function's own processes may have written a file.

The kernel reports that a file was changed, but not by whom. It does count the bytes
that each process has written (``wchar`` in /proc/PID/io), and a process that wrote less
than a file's size has not written that file. So the counters are read a few times a
second, and the reading before a change is compared with the one after it. The counter
of a process that ended in between is lost, but its parent shows that there was one.

Tried and dropped: looking for who has the file open (nobody has, by the time that the
change is reported), and fanotify (only root learns the process).

Only Linux has these counters. Elsewhere, every change counts as made from outside.
"""

import math
import os
import time
from collections import deque
from collections.abc import Callable

import msgspec

KEPT = 40
"""Readings to keep, for changes that are reported late."""

TICK = time.clock_getres(getattr(time, "CLOCK_REALTIME_COARSE", time.CLOCK_REALTIME))
"""Seconds by which the times of files may be early: the kernel's tick."""


class Counters(msgspec.Struct, frozen=True):
    """The counters of one process."""

    written: int
    """Bytes."""
    faults_of_children: int
    """Page faults of children that have ended: grows with each of them."""


class Reading(msgspec.Struct, frozen=True):
    """The counters of all processes at one moment, by pid."""

    at: float
    counters: dict[int, Counters]
    logged: int
    """Bytes that the processes have written to their log, not to a file."""

    def written_since(self, before: "Reading") -> float:
        """Return how many bytes may have been written since an earlier reading.

        Return infinity if a process has ended whose parent still runs.
        """
        total = 0
        for pid, now in self.counters.items():
            then = before.counters.get(pid)
            if then and then.faults_of_children != now.faults_of_children:
                return math.inf
            total += now.written - (then.written if then else 0)
        return total - (self.logged - before.logged)


class OwnWrites:
    """Counts the bytes that the descendants of a process write."""

    def __init__(self, root: int, logged: Callable[[], int]) -> None:
        self._root = root
        self._logged = logged
        self._readings: deque[Reading] = deque(maxlen=KEPT)
        self.look()

    def look(self) -> Reading:
        """Read the counters, and keep them."""
        pids = _descendants(self._root)
        found = {pid: counters for pid in pids if (counters := _counters(pid))}
        self._readings.append(Reading(time.time(), found, self._logged()))
        return self._readings[-1]

    def can_have_written(self, path: str) -> bool:
        """Return whether the processes may have written all bytes of a file."""
        try:
            status = os.stat(path)
        except OSError:  # deleted, which is nobody's writing
            return False
        self.look()
        readings, changed = list(self._readings), status.st_ctime
        before = [each for each in readings if each.at < changed]
        after = [each for each in readings if each.at > changed + TICK]
        first = before[-1] if before else readings[0]
        last = after[0] if after else readings[-1]
        return last.written_since(first) >= max(status.st_size, 1)


def _descendants(root: int) -> list[int]:
    """Return the descendants of a process.

    https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
    """
    found: list[int] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as children:
                    waiting += (
                        below := [int(word) for word in children.read().split()]
                    )
                    found += below
        except OSError:
            continue
    return found


def _counters(pid: int) -> Counters | None:
    """Return a process's counters, None if it has ended or belongs to another user.

    https://man7.org/linux/man-pages/man5/proc_pid_io.5.html
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        with open(f"/proc/{pid}/io") as file:
            written = dict(line.split(": ") for line in file.read().splitlines())
        with open(f"/proc/{pid}/stat") as file:
            after_name = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return Counters(int(written["wchar"]), int(after_name[8]))
