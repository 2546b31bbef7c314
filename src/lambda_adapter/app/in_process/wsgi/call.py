"""One request to a WSGI application, and the thread that calls it."""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.app.in_process.response import log_failure, name_call
from lambda_adapter.app.in_process.wsgi.environ import Environ
from lambda_adapter.app.in_process.wsgi.exchange import Application, Exchange, Head
from lambda_adapter.errors import AppFailedError
from lambda_adapter.http.messages import Request

MOMENT = 0.005
"""Seconds that trio's thread waits for the application's without trio, where no other
invocation can need it. Waking trio up costs a quarter of an invocation (measured)."""


class GivenUpError(OSError):
    """Nobody takes the response any more."""


class WSGIResponder:
    """What a thread does for one request, and what is known of it.

    ``run`` is the thread's, all else is trio's.
    """

    ended = False
    """Whether the whole response is there, or there is none."""
    over = False
    """Whether the thread has done all."""
    failed = False
    too_large = False
    given_up = False
    is_threaded = False

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
        self._taken = threading.Event()
        """Set when trio wants the next piece."""
        self._released = threading.Event()
        """Set when the reply is posted: then the application may clean up."""
        self._news: trio.Event | None = None
        self._notify: Callable[[], None] = lambda: None
        self._trio_waits = False
        self._context = copy_context()
        self._step = threading.Semaphore(0)
        """Counts what the thread has come to: its response, its end."""

    def run(self) -> None:
        """Call the application, and close what it returned once the reply is posted.

        In a copy of the context in which this was made: its variables are fresh.
        """
        self._context.run(self._run)

    def _run(self) -> None:
        self._respond()
        self.ended = True
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
        """Call the application in trio's thread; ``close`` is still to be called."""
        self._context.run(self._respond)
        self.ended = True

    def close_inline(self) -> None:
        """Close what the application returned, in the context of its call."""
        self._context.run(self.close)

    def close(self) -> None:
        """Close what the application returned."""
        try:
            self._exchange.close()
        except BaseException as error:  # a sys.exit in a thread would go unseen
            end_if_child(error)
            log_failure(self.subject, error, ", in the close() of its response")
        end_if_child()
        self.over = True

    def _respond(self) -> None:
        try:
            self._exchange.run()
        except BaseException as error:  # the application's end is not the adapter's
            end_if_child(error)
            self.failed = True
            if not (self.given_up and isinstance(error, GivenUpError)):
                log_failure(self.subject, error)
        end_if_child()

    @property
    def subject(self) -> str:
        """``METHOD PATH``, for the log."""
        return name_call(self._call, self._request)

    def _emit(self, piece: bytes) -> None:
        self._size += len(piece)
        if not self._streamed:
            self._pieces.append(piece)
            if self._size > self._max_body:
                self.too_large = self.given_up = True
                self._pieces.clear()  # of no use any more, and megabytes
        else:
            end_if_child()
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
        """Whether there is a response, or will be none."""
        return self.ended or (self._streamed and bool(self._pieces))

    @property
    def has_pieces(self) -> bool:
        """Whether a piece waits to be taken."""
        return bool(self._pieces)

    def notify_by(self, token: trio.lowlevel.TrioToken) -> None:
        """Have the thread tell trio's of its news."""

        def notify() -> None:
            with contextlib.suppress(trio.RunFinishedError):  # nobody is there any more
                token.run_sync_soon(self._tell, idempotent=True)

        self.is_threaded = True
        self._notify = notify

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()

    def wait_a_moment(self) -> None:
        """Wait until the thread comes to its response or its end, but not for long."""
        self._step.acquire(timeout=MOMENT)

    async def wait(self, what: Callable[[], bool]) -> None:
        """Wait until this is so, which is looked at whenever there are news."""
        self._trio_waits = True
        while not what():
            self._news = trio.Event()
            if not what():  # or the news came between the two lines above
                await self._news.wait()

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
        if self.failed:
            raise AppFailedError("the application failed within its response")
        return b""

    def let_go(self) -> None:
        """Give up what has not come yet of the response."""
        if not self.ended:
            self.release()

    def release(self) -> None:
        """Let the thread clean up, and end a response that nobody takes."""
        if not self.ended:
            self.given_up = True
        self._taken.set()
        self._released.set()


class Worker:
    """Runs one call after the other in its thread.

    ``close`` of an application's iterable has to run where the application ran, and
    Django's database connections are the thread's, so it is always the same one.
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
