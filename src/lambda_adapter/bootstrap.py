"""Import the serving half of the adapter, while or after the application starts."""

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
"""Added to the application's nice value: the import gets a tenth of a core that both
want, and all of an idle one.
https://man7.org/linux/man-pages/man7/sched.7.html (nice value)"""


def run_niced(work: Callable[[], T]) -> T:
    """Do some work at a low priority, and return or raise what it does.

    On Linux each thread has its own nice value, and can't lower it again without
    privileges. So the work runs in a second thread while this one waits. On other
    systems, or if no thread can be started, it runs here at the usual priority.
    """
    # Not imported in the second thread: to Python 3.11, whichever thread imports
    # ``threading`` first is the main one.
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
    """Lower a thread's priority, on systems where threads have their own."""
    try:
        # Relative to the application, which has this niceness. Linux caps it at 19.
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, own + NICENESS)
    except OSError:  # not Linux
        return


def load_serve(load: Callable[[], None], *, on_trio: bool) -> Serve:
    """Call ``load``, then import what serves an application in this process.

    If the application runs on trio, too, all of that is imported.

    Raises:
        UnsupportedPythonError: the application's packages prevent the import.
    """
    gc.disable()  # imported objects are not garbage
    load()
    try:
        from lambda_adapter.serve import lazy_trio

        if on_trio:
            lazy_trio.import_all_of_trio()
        else:
            lazy_trio.import_trio()
        from lambda_adapter.serve import supervisor
    except Exception as error:  # an old package of the application's can raise anything
        from lambda_adapter.startup_failure import describe_conflicts

        raise UnsupportedPythonError(
            f"the adapter can't be imported beside the application:"
            f" {type(error).__name__}: {error}; {describe_conflicts()}"
        ) from error
    gc.freeze()
    gc.enable()
    return supervisor.run
