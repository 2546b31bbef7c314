"""Importing what serves the application: beside its start, or beside its packages."""

from __future__ import annotations

import gc
import os

from lambda_adapter.errors import UnsupportedPythonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from lambda_adapter.cli import Serve

    T = TypeVar("T")


NICENESS = 10
"""So much nicer than the application: a tenth of a core that both want, all of an idle
one: https://man7.org/linux/man-pages/man7/sched.7.html (nice value)"""


def run_niced(work: Callable[[], T]) -> T:
    """Do some work at a low priority, and return or raise what it does.

    On Linux each thread has a niceness of its own, and a thread that gave it up can't
    have it back without privileges. So the work has a thread, and this one waits.
    Elsewhere, and where there is no thread to be had, the work is done as usual.
    """
    # Not by that thread: Python 3.11 takes whichever imports this for the main one.
    import threading

    results: list[T] = []
    errors: list[BaseException] = []

    def run_it() -> None:
        try:
            _be_nice(threading.get_native_id())
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run_it, daemon=True)
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
        # Relative to the application, which has this niceness. Linux caps it at 19.
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, own + NICENESS)
    except OSError:  # no Linux
        return


def load_serve(load: Callable[[], None]) -> Serve:
    """Import what serves the application, and return it; ``load`` is called before.

    Raises:
        UnsupportedPythonError: it can't be imported beside the application's packages.
    """
    gc.disable()  # what is imported is no garbage
    load()
    try:
        from lambda_adapter.serve import lazy_trio

        lazy_trio.import_all_of_trio()
        from lambda_adapter.serve import supervisor
    except Exception as error:  # whatever an old package brings about
        from lambda_adapter.startup_failure import describe_conflicts

        raise UnsupportedPythonError(
            f"the adapter can't be imported beside the application:"
            f" {type(error).__name__}: {error}; {describe_conflicts()}"
        ) from error
    gc.freeze()
    gc.enable()
    return supervisor.run
