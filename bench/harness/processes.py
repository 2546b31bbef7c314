"""What processes hold in memory, with all that they have started."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path


def descendants(pids: Sequence[int]) -> Iterator[int]:
    """Return these processes, and those that they have started."""
    for pid in pids:
        yield pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        yield from descendants([int(child) for child in children.split()])


def pss(pid: int) -> float:
    """Return what a process holds in MB, a shared page in part.

    https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
    """
    return _rollup(pid, "Pss")


def rss(pid: int) -> float:
    """Return what a process holds in MB, a shared page in full."""
    return _rollup(pid, "Rss")


def _rollup(pid: int, name: str) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(rf"^{name}: +(\d+) kB", rollup, re.MULTILINE)
    assert found
    return int(found[1]) / 1024
