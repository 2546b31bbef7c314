"""Work in the background: beside an application that comes first. Shell."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

NICENESS = 10
"""A tenth of a core that something of the usual niceness wants too, all of an idle one:
https://man7.org/linux/man-pages/man7/sched.7.html (nice value)"""


def run(work: Callable[[], T]) -> T:
    """Do some work at a low priority, and return or raise what it does.

    On Linux each thread has a niceness of its own, and a thread that gave it up can't
    have it back without privileges. So the work has a thread, and this one waits.
    Elsewhere, and where there is no thread to be had, the work is done as usual.
    """
    # Not by that thread: Python 3.11 takes whichever imports this for the main one.
    import threading

    results: list[T] = []
    errors: list[BaseException] = []

    def run_niced() -> None:
        try:
            _be_nice(threading.get_native_id())
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run_niced, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return work()
    thread.join()
    for error in errors:
        raise error
    return results[0]


def _be_nice(thread: int) -> None:
    """Let others have the processor first, where the system lets threads do so."""
    try:
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
    except OSError:  # no Linux, or nicer already
        return
