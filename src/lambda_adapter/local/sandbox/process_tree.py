"""Read a process tree from /proc, often and cheaply.

psutil takes fifty times as long; ``local.processes`` uses it when time does not matter,
and on macOS.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessTree:
    """A process with all descendants that were ever seen."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._used: dict[int, float] = {root: 0.0}
        """CPU seconds of each process at the last reading."""
        self._queued: dict[str, float] = {}
        """Seconds in which each thread waited for a CPU, at the last reading."""

    @property
    def pids(self) -> list[int]:
        """The pids of the current processes."""
        return list(self._used)

    @property
    def _work(self) -> list[int]:
        """The application's processes: an adapter that asks them is none of them."""
        return [pid for pid in self._used if pid != self._root] or [self._root]

    def look(self) -> None:
        """Find new descendants, and drop ended ones."""
        waiting = list(self._used)
        while waiting:
            for child in _child_pids(waiting.pop()):
                if child not in self._used:
                    self._used[child] = 0.0
                    waiting.append(child)
        for pid in [each for each in self._used if not os.path.exists(f"/proc/{each}")]:
            del self._used[pid]

    def cpu_delta(self) -> float:
        """Return the CPU seconds of all threads since the last reading."""
        delta = 0.0
        for pid, before in list(self._used.items()):
            try:
                now = time.clock_gettime(_processor_clock(pid))
            except OSError:
                continue
            delta += max(now - before, 0.0)
            self._used[pid] = now
        return delta

    def queued_delta(self) -> float:
        """Return the seconds for which a thread waited for a CPU since last reading.

        Of all threads it is the one that has waited longest: they wait side by side.
        https://docs.kernel.org/scheduler/sched-stats.html, /proc/<pid>/schedstat
        """
        longest = 0.0
        queued: dict[str, float] = {}
        for pid in self._work:
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as file:
                        queued[thread] = int(file.read().split()[1]) / 1e9
                    before = self._queued.get(thread, 0.0)
                    longest = max(longest, queued[thread] - before)
            except (OSError, IndexError):
                continue
        self._queued = queued
        return longest

    def wants_to_run(self) -> bool:
        """Return whether a thread is runnable: state R of proc_pid_stat(5)."""
        for pid in self._work:
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/stat", "rb") as file:
                        if file.read().rpartition(b")")[2].split()[0] == b"R":
                            return True
            except (OSError, IndexError):
                continue
        return False

    def threads(self) -> int:
        """Return the number of threads."""
        count = 0
        for pid in self._used:
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{pid}/task"))
        return count

    def resident_bytes(self) -> int:
        """Return the resident memory; shared memory counts several times."""
        total = 0
        for pid in self._used:
            try:
                with open(f"/proc/{pid}/statm", "rb") as file:
                    total += int(file.read().split()[1]) * _PAGE
            except (OSError, IndexError):
                continue
        return total

    def proportional_bytes(self) -> int:
        """Return the resident memory; shared memory counts once."""
        return sum(_proportional(pid) for pid in self._used)

    def stop(self) -> None:
        """Stop all of them."""
        self._send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let all of them continue."""
        self._send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill all of them."""
        self._send_signal(signal.SIGKILL)

    def _send_signal(self, number: signal.Signals) -> None:
        for pid in self._used:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _processor_clock(pid: int) -> int:
    """Return the clock of a process's CPU time, as clock_getcpuclockid(3) does."""
    return (~pid << 3) | 2


def _child_pids(pid: int) -> Iterator[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                yield from map(int, file.read().split())
        except OSError:
            continue


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
