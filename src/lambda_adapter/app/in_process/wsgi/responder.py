"""One request to a WSGI application, and the thread that calls it.

How it works. A thread calls the application and iterates over what it returns
(``Exchange``); the transport's task waits in trio's thread. The thread writes the
state, trio reads it: ``progress`` is assigned last, so that whoever sees it final sees
all that led to it. Two ``threading.Event`` lead the other way: ``_taken`` after each
piece of a streamed body, ``_released`` once the reply is posted::

    the application's thread                 trio's thread
    _emit(piece) ────────── _notify ───────▶ wait: progress, or a piece
    waits                ◀─ _taken ───────── next_piece
    progress = COMPLETE ─── _come_to ──────▶ the response; it is posted
    waits                ◀─ _released ────── finish: release
    close(), over = True ── _come_to ──────▶ the next event

What was tried. Waking trio from a thread costs a quarter of an invocation (measured),
so with one request at a time trio's thread first waits for ``_step`` itself, for 5 ms
at most (``wait_a_moment``). With several, that would hold up the others. A new thread
for each call would be simpler, but Django keeps a database connection for each thread.

Not solved: Python can't end a thread. After the deadline it is left alone, and
``finish`` ends the environment if it does not come back.

With ASGI's ``HTTPCycle`` this shares ``Progress`` and no more: there, both sides run in
one thread, and here it matters of each attribute which thread writes it.
"""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.app.in_process.outside_trio import call_outside_trio
from lambda_adapter.app.in_process.response import Progress, log_failure, name_call
from lambda_adapter.app.in_process.wsgi.environ import Environ
from lambda_adapter.app.in_process.wsgi.exchange import Application, Exchange, Head
from lambda_adapter.errors import AppFailedError
from lambda_adapter.http.messages import Request

MOMENT = 0.005
"""Seconds that trio's thread waits for the application's thread without trio, if there
is only one invocation at a time."""


class GivenUpError(OSError):
    """Nobody takes the response any more."""


class WSGIResponder:
    """What a thread does for one request, and how far it has come.

    The thread calls ``run``. Everything else is called from trio's thread.
    """

    progress = Progress.WAITING
    """Written by the application's thread. A streamed response is ready with its first
    piece; STREAMING would only repeat that there is one."""
    over = False
    """Whether the application was also closed: the thread is free for the next call."""
    given_up = False
    """Whether nobody takes the response any more."""
    is_threaded = False

    # Only where a thread runs the call (``notify_by``): making them takes a tenth of an
    # invocation that needs none (measured).
    _taken: threading.Event
    """Set when trio wants the next piece."""
    _released: threading.Event
    """Set when the reply is posted, so that the application may clean up."""
    _step: threading.Semaphore
    """Released when the thread has come to its response, and to its end."""

    def __init__(
        self, app: Application, environ: Environ, request: Request, call: Call
    ) -> None:
        self._request = request
        self._call = call
        self._exchange = Exchange(app, environ, self._emit)
        self._streamed = call.streamed
        self._max_body = call.max_body
        self._size = 0
        self._pieces: deque[bytes] = deque()
        self._progressed: trio.Event | None = None
        self._notify: Callable[[], None] = lambda: None
        self._trio_waits = False
        self._context = copy_context()

    def run(self) -> None:
        """Call the application, and close what it returned once the reply is posted."""
        # A copy of the invoke loop's context: the request id for the log is in it, and
        # what the application sets does not show in the next request.
        self._context.run(self._run)

    def _run(self) -> None:
        self._respond()
        # Frameworks clean up in ``close``, Django its connections, so that it must not
        # delay the response. Without it, trio is woken once instead of twice.
        if self._exchange.closes:
            self._come_to()
            self._released.wait()
        self.close()
        self._come_to()

    def _come_to(self) -> None:
        self._step.release()
        if self._trio_waits:
            self._notify()

    def run_inline(self) -> None:
        """Call the application in trio's thread; ``close_inline`` does the rest."""
        self._context.run(call_outside_trio, self._respond)

    def close_inline(self) -> None:
        """Close what the application returned, in the context of its call."""
        self._context.run(call_outside_trio, self.close)

    def close(self) -> None:
        """Close what the application returned."""
        try:
            self._exchange.close()
        except BaseException as error:
            # SystemExit as well: ``threading`` ignores it without a word.
            end_if_child(error)
            log_failure(self.subject, error, ", in the close() of its response")
        end_if_child()
        self.over = True

    def _respond(self) -> None:
        try:
            self._exchange.run()
        except BaseException as error:
            # SystemExit as well: under a web server it would end one worker of several,
            # here it would end the adapter.
            end_if_child(error)
            progress = Progress.FAILED
            if not (self.given_up and isinstance(error, GivenUpError)):
                log_failure(self.subject, error)
        else:
            progress = Progress.COMPLETE
        end_if_child()
        # The application may have caught ``GivenUpError`` and returned as if all were
        # well: the body is too large all the same.
        self.progress = Progress.TOO_LARGE if self._is_too_large() else progress

    def _is_too_large(self) -> bool:
        return not self._streamed and self._size > self._max_body

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the application's request, for the log."""
        return name_call(self._call, self._request)

    def _emit(self, piece: bytes) -> None:
        self._size += len(piece)
        if not self._streamed:
            self._pieces.append(piece)
            if self._is_too_large():
                self.given_up = True
                # Nobody will take them, and they are megabytes.
                self._pieces.clear()
        else:
            end_if_child()
            # Before the piece is there: trio may take it and set ``_taken`` at any time
            # after that, and the thread would wait for ever.
            self._taken.clear()
            self._pieces.append(piece)
            self._notify()
            if not self.given_up:
                self._taken.wait()
        if self.given_up:
            raise GivenUpError("nobody takes the response any more")

    # What trio's thread calls.

    @property
    def head(self) -> Head | None:
        """The beginning of the response, once there is one."""
        return self._exchange.head

    @property
    def ready(self) -> bool:
        """Whether there is a response, or there will never be one."""
        return self.is_final or (self._streamed and bool(self._pieces))

    @property
    def is_final(self) -> bool:
        """Whether the application has sent all that it will send."""
        return self.progress is not Progress.WAITING

    @property
    def has_pieces(self) -> bool:
        """Whether there is a piece to take."""
        return bool(self._pieces)

    def notify_by(self, token: trio.lowlevel.TrioToken) -> None:
        """Let the thread wake trio's thread after each step."""

        def notify() -> None:
            # trio's loop may have ended, after SIGTERM: nobody waits then.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(self._tell, idempotent=True)

        self.is_threaded = True
        self._notify = notify
        self._taken, self._released = threading.Event(), threading.Event()
        self._step = threading.Semaphore(0)

    def _tell(self) -> None:
        if self._progressed is not None:
            self._progressed.set()

    def wait_a_moment(self) -> None:
        """Wait up to ``MOMENT`` until the thread comes to its response or its end."""
        self._step.acquire(timeout=MOMENT)

    async def wait(self, what: Callable[[], bool]) -> None:
        """Wait until this is true; it is checked after each step of the thread."""
        self._trio_waits = True
        while not what():
            self._progressed = trio.Event()
            # Again, because the thread may have come to it between the lines above, and
            # have set the event before this one.
            if not what():
                await self._progressed.wait()

    def take_body(self) -> bytes:
        """Return the pieces that have come."""
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return body

    async def next_piece(self) -> bytes:
        """Return the next piece of a streamed body, and ``b""`` after the last one.

        Raises:
            AppFailedError: the application failed before.
            DeadlineError: there was none in time.
        """
        if not self._pieces:
            self._taken.set()
            with trio.move_on_at(self._call.deadline) as limit:
                await self.wait(lambda: self.ready)
            if limit.cancelled_caught:
                raise self._call.late()
        if self._pieces:
            return self._pieces.popleft()
        if self.progress is Progress.FAILED:
            raise AppFailedError("the application failed within its response")
        return b""

    def give_up_rest(self) -> None:
        """Give up what has not been sent of the response, if anything."""
        if not self.is_final:
            self.release()

    def release(self) -> None:
        """Let the thread clean up, and end a response that nobody takes."""
        if not self.is_final:
            self.given_up = True
        if self.is_threaded:
            self._taken.set()
            self._released.set()


class Worker:
    """Runs one call after the other in its thread.

    It is always the same thread: ``close`` of an application's iterable has to run
    where the application ran, and Django keeps a database connection for each thread.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, call: Callable[[], None]) -> None:
        """Run a call."""
        self._calls.put(call)

    def _run(self) -> None:
        while True:
            self._calls.get()()
