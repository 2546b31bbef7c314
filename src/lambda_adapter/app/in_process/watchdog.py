"""Log where an application blocks this process until Lambda ends it.

Neither the deadline nor the end of the init can be seen by a loop whose thread an
application blocks, and Lambda's own "timed out" names no line. So a thread looks at the
main one's stack shortly before. It sleeps from one deadline to the next, and is woken
only for an earlier one, so that an invocation costs two comparisons.
"""

import math
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType

import trio

import lambda_adapter
from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.response import name_call
from lambda_adapter.errors import DeadlineError
from lambda_adapter.http.messages import Request
from lambda_adapter.observe.logs import log

INIT = 9.5
"""Seconds after which the log says that init, which may take 10 s, is not complete:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""

PATIENCE = 0.02
"""Seconds within which a loop must run a callback to count as not blocked."""

FRAMES = 4
"""Most calls to name, innermost first."""

_LIBRARY = os.path.dirname(os.__file__)  # sysconfig would read how Python was built
_OWN = os.path.dirname(lambda_adapter.__file__)


def watch_init(name: str) -> Callable[[], None]:
    """Log where the main thread is, if it is not ready shortly before the init's end.

    Return a function that ends the watch.
    """
    timer = threading.Timer(INIT, _say_not_ready, [name])
    timer.daemon = True
    timer.start()
    return timer.cancel


def _say_not_ready(name: str) -> None:
    log.warning(
        "the application %r is not ready after %g s, and Lambda's init may take 10 s:"
        " it is at %s",
        name,
        INIT,
        where(_main_frame()),
    )


class Watchdog:
    """Watches trio's loop in the thread in which this is created."""

    def __init__(self, margin: float) -> None:
        self._margin = margin / 2
        # trio's clock, which call deadlines are on: no conversion for each invocation.
        self._current_time = trio.lowlevel.current_clock().current_time
        self._token = trio.lowlevel.current_trio_token()
        self._due = self._planned = math.inf
        self._news = threading.Event()
        self._call: Call | None = None
        self._request: Request | None = None
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def watch(self, call: Call, request: Request) -> None:
        """Watch the loop until a little after this call's deadline."""
        self._call, self._request = call, request
        self._due = call.deadline + self._margin
        if self._due < self._planned:
            self._news.set()

    def _run(self) -> None:
        while True:
            self._planned = due = self._due
            left = due - self._current_time()
            if left > 0:
                self._news.wait(min(left, threading.TIMEOUT_MAX))
                self._news.clear()
                continue
            self._due = math.inf
            try:
                self._check()
            except trio.RunFinishedError:
                return

    def _check(self) -> None:
        responds = threading.Event()
        self._token.run_sync_soon(responds.set)
        call, request = self._call, self._request
        if responds.wait(PATIENCE) or call is None or request is None:
            return
        what = f"the application blocks the adapter's thread, at {where(_main_frame())}"
        error = DeadlineError(what)
        log.error("%s", error.line(name_call(call, request)))


def _main_frame() -> FrameType | None:
    return sys._current_frames().get(threading.main_thread().ident or 0)


def where(frame: FrameType | None) -> str:
    """Return the calls of a thread, innermost first, as ``file:line``.

    Only those of the application and its libraries are named.
    """
    calls: list[str] = []
    inside = ""
    while frame and len(calls) < FRAMES:
        code = frame.f_code
        if calls and code.co_filename.startswith(_OWN):
            break
        place = f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
        if not code.co_filename.startswith((_LIBRARY, "<frozen")):
            calls.append(place)
        elif not calls and not inside:
            inside = f" (in {code.co_name})"
        frame = frame.f_back
    return ", called by ".join(calls) + inside
