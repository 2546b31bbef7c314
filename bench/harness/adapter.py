"""What the far end sees of the adapter's process: its CPU time, and if it sleeps."""

import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which an adapter is no longer waited for."""

LOOKS = 3
"""How many looks in a row must find every thread asleep."""

LOOK_INTERVAL = 0.0001
"""Seconds from a look at an adapter that runs to the next look."""


def cpu_time(pid: int) -> int:
    """Return the CPU time of a process, all its threads, in nanoseconds.

    The kernel numbers the clock of a process so:
    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def settle(pid: int) -> None:
    """Wait until all threads of a process and of its children sleep.

    Raises:
        TimeoutError: they do not.
    """
    give_up = time.monotonic() + PATIENCE
    looks = 0
    while looks < LOOKS:
        if time.monotonic() > give_up:
            raise TimeoutError(f"the adapter is not asleep within {PATIENCE} s")
        if set(_states(pid)) == {"S"}:
            looks += 1
        else:
            looks = 0
            time.sleep(LOOK_INTERVAL)


def _states(pid: int) -> Iterator[str]:
    """Return the state of each thread, "S" for one that sleeps.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield (task / "stat").read_text().rpartition(")")[2].split()[0]
            for child in (task / "children").read_text().split():
                yield from _states(int(child))
    except OSError:
        yield "ended meanwhile"
