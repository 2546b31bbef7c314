"""The end of a child that an application forks, and that comes back to the adapter.

``os.fork`` in a view makes a second adapter, with the same connection to Lambda and the
same epoll. A child that ends by ``os._exit``, as multiprocessing's do, or that executes
a program never comes back here. One that returns, raises or calls ``sys.exit`` would
respond in its parent's place, so it ends where the application's code does.
"""

import contextlib
import os
import sys
import traceback
from typing import Never, cast

import trio

from lambda_adapter.observe.logs import log

_is_child = False


def watch() -> None:
    """From now on, record in a forked child that it is one."""
    os.register_at_fork(after_in_child=_become_child)


def end_if_child(error: BaseException | None = None) -> None:
    """End a child that comes back: with the status that Python gives this error."""
    if _is_child:
        _end_child(error)


def _become_child() -> None:
    global _is_child
    _is_child = True
    # RuntimeError, if another thread than trio's has forked: no task of trio's is under
    # way there that could come back.
    with contextlib.suppress(RuntimeError):
        trio.lowlevel.add_instrument(cast("trio.abc.Instrument", _Ending()))


class _Ending:
    """Ends the process at the end of the task step in which it was forked.

    An instrument needs no base class, and trio.abc would be imported for it:
    https://trio.readthedocs.io/en/stable/reference-lowlevel.html#trio.abc.Instrument
    """

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """End before the next step."""
        _end_child(None)


def _end_child(error: BaseException | None) -> Never:
    status = 1
    # The application may have closed stdout and stderr, or replaced them by anything.
    try:
        status = _report(error)
    finally:
        # ``os._exit`` flushes nothing, and what the child printed would be lost.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(status)


def _report(error: BaseException | None) -> int:
    """Print why a child ends, and return its exit status."""
    if isinstance(error, SystemExit):
        return _status(error.code)
    if error:
        traceback.print_exception(error)
        return 1
    log.warning(
        "a child that the application forked came back to the adapter and was"
        " ended, so that its parent alone responds; end it with os._exit"
    )
    return 0


def _status(code: object) -> int:
    """Return the exit status, as Python's own exit has it.

    https://docs.python.org/3/library/sys.html#sys.exit
    """
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1
