"""One request to an ASGI application: its ``receive`` and its ``send``.

https://asgi.readthedocs.io/en/latest/specs/www.html

How it works. The application's coroutine and the transport's task run in one thread, so
neither needs a lock, and each runs until it waits. The application waits at gates of
its host (asyncio's futures or trio's events), the transport at a ``trio.Event`` that is
replaced for each wait::

    application                              transport
    send(start), send(piece) ─ _notify ────▶ wait_progress: a piece, or the end
    waits at a gate          ◀─ release ──── took the piece; or the reply is posted
    ends ─ ended ──────────────────────────▶ wait_progress

The last ``send`` returns only when the reply is posted. So nothing that an application
does after its response delays it, and frameworks that run background tasks then need no
change.

The state has three parts, because they change independently: how far the response has
come (``progress``), whether the coroutine has ended (``over``), and what the
application knows of its client (``disconnected``, ``given_up``). An application may end
with or without a whole response, and its client may leave before and after that: one
enum for all three would have a member for each combination, and each question here is
about one of the parts.

Not solved: an application that catches its cancellation and goes on can't be ended. The
transport raises ``AppStuckError`` then, which ends the environment.
"""

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.asgi.host import Cancelled, Gate, Host, Message, Task
from lambda_adapter.app.in_process.asgi.messages import (
    Start,
    body_of,
    file_of,
    start_of,
)
from lambda_adapter.app.in_process.asgi.response_body import Body, BodyOverLimitError
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.app.in_process.response import Progress, log_failure, name_call
from lambda_adapter.errors import AppFailedError
from lambda_adapter.http.messages import Request
from lambda_adapter.observe.logs import log


class ClientDisconnectedError(OSError):
    """Nobody takes the response any more; an application may ignore it.

    https://asgi.readthedocs.io/en/latest/specs/www.html#disconnected-client-send-exception
    """


def is_expected(error: BaseException) -> bool:
    """Return whether an application that was given up ends with such an error."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(each) for each in error.exceptions)
    return isinstance(error, (ClientDisconnectedError, Cancelled))


_REQUEST: Message = {"type": "http.request", "more_body": False}
_DISCONNECT: Message = {"type": "http.disconnect"}


class HTTPCycle:
    """The request, what the application has sent of its response, and how it ended."""

    task: Task | None = None
    start: Start | None = None
    progress = Progress.WAITING
    over = False
    """Whether the application's coroutine has ended."""
    given_up = False
    """Whether nobody takes the response any more."""
    disconnected = False
    """Whether ``receive`` returns ``http.disconnect``."""

    def __init__(self, host: Host, request: Request, call: Call) -> None:
        self._host = host
        self._request = request
        self._call = call
        self._streamed = call.streamed
        limit = None if call.streamed else call.max_body
        self.body = Body(is_head=request.method == b"HEAD", limit=limit)
        """What has come of the body, and has not been taken."""
        self._was_received = False
        self._sending: list[Gate] = []
        """Where ``send`` waits until its piece is taken, or the reply is posted."""
        self._receiving: list[Gate] = []
        """Where ``receive`` waits for the end of the response."""
        self._progressed: trio.Event | None = None

    # What the application calls.

    async def receive(self) -> Message:
        """Return the request's body, then wait until the response is complete."""
        if not self._was_received:
            self._was_received = True
            return {**_REQUEST, "body": self._request.body}
        if not self.disconnected:
            gate = self._host.gate()
            self._receiving.append(gate)
            try:
                await gate.wait()
            finally:
                # Starlette's ``is_disconnected`` cancels its ``receive`` at each poll:
                # without this, the gates would pile up until the response is complete.
                if gate in self._receiving:
                    self._receiving.remove(gate)
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        """Accept a message; return once the next one can be sent.

        The ``send`` of the last message returns when the reply is posted.

        Raises:
            ClientDisconnectedError: nobody takes it.
            RuntimeError, ValueError, TypeError: it is not a message that may follow.
        """
        end_if_child()
        if self.given_up:
            raise ClientDisconnectedError("the request was given up")
        kind = message["type"]
        if self.progress is Progress.COMPLETE:
            raise RuntimeError(f"{kind} after the response was complete")
        if self.progress is Progress.FAILED:
            # A task that outlived the application's coroutine. Its client has got the
            # error already, so a late piece can't be sent any more.
            raise ClientDisconnectedError("the application has ended")
        if self.start is None:
            self.start = start_of(message)
        elif kind == "http.response.pathsend":
            await self._send_file(self.start, file_of(message))
        elif kind == "http.response.body":
            body, more = body_of(message)
            await self._take(self.start, body, more=more)
        else:
            raise RuntimeError(f"{kind} within a response")

    async def _send_file(self, start: Start, path: str) -> None:
        with open(path, "rb") as file:  # noqa: ASYNC230 - small reads of a local file
            while piece := file.read(65_536):
                await self._take(start, piece, more=True)
        await self._take(start, b"", more=False)

    async def _take(self, start: Start, piece: bytes, *, more: bool) -> None:
        try:
            self.body.add(start, piece, more=more)
        except BodyOverLimitError:
            self.progress = Progress.TOO_LARGE
            self._notify()
            self.give_up()
            raise ClientDisconnectedError("more than AWS Lambda can return") from None
        if more and not self._streamed:
            return
        self.progress = Progress.STREAMING if more else Progress.COMPLETE
        self._notify()
        # An empty piece, or one of a response to HEAD: the transport takes only pieces
        # with bytes, so that nobody would open the gate.
        if more and not self.body:
            return
        gate = self._host.gate()
        self._sending.append(gate)
        try:
            await gate.wait()
        finally:
            # Here, in the sender's own step, and not where the gate is opened: a task
            # that waits in ``receive`` would go on first and cancel this ``send``, as
            # sse-starlette does at ``http.disconnect``.
            if not more:
                self._disconnect()
        if self.given_up and more:
            raise ClientDisconnectedError("the request was given up")

    def _disconnect(self) -> None:
        self.disconnected = True
        for gate in self._receiving:
            gate.open()
        self._receiving.clear()

    def ended(self, error: BaseException | None) -> None:
        """Record that the application's coroutine has ended, and log why."""
        self.over = True
        was_complete = self.progress is Progress.COMPLETE
        # Not a set of them: each hash of an ``Enum``'s member is a call in Python.
        if self.progress is Progress.WAITING or self.progress is Progress.STREAMING:
            self.progress = Progress.FAILED
        self._disconnect()
        self._notify()
        if error is not None and not (self.given_up and is_expected(error)):
            when = ", after its response was complete" if was_complete else ""
            log_failure(self.subject, error, when)
        elif not was_complete and not self.given_up:
            log_failure(self.subject, None)

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the application's request, for the log."""
        return name_call(self._call, self._request)

    def log_late_work(self) -> None:
        """Log that the work after the response is cancelled."""
        late = self._call.late("the work after the response was cancelled")
        log.error("%s", late.line(self.subject))

    # What the transport calls.

    async def wait_progress(self) -> None:
        """Wait for a piece, the end of the response or the coroutine's end."""
        self._progressed = trio.Event()
        await self._progressed.wait()

    def _notify(self) -> None:
        if self._progressed is not None:
            self._progressed.set()

    @property
    def ready(self) -> bool:
        """Whether there is a response, or there will never be one."""
        return self.progress is not Progress.WAITING

    async def next_piece(self) -> bytes:
        """Return the next piece of a streamed body, and ``b""`` after the last one.

        Raises:
            AppFailedError: the application ended before.
            DeadlineError: there was none in time.
        """
        if not self.body and self.progress is Progress.STREAMING:
            self.release()
            with trio.move_on_at(self._call.deadline) as limit:
                while not self.body and self.progress is Progress.STREAMING:
                    await self.wait_progress()
            if limit.cancelled_caught:
                raise self._call.late()
        if not self.body and self.progress is not Progress.COMPLETE:
            raise AppFailedError("the application failed within its response")
        return self.body.take()

    def release(self) -> None:
        """Let a ``send`` that waits return."""
        for gate in self._sending:
            gate.open()
        self._sending.clear()
        self._host.wake()

    def give_up(self) -> None:
        """Let the application know that nobody takes its response."""
        self.given_up = True
        self._disconnect()
        self.release()

    def give_up_rest(self) -> None:
        """Give up what has not been sent of the response, if anything."""
        if self.progress is not Progress.COMPLETE:
            self.give_up()

    def cancel(self) -> None:
        """Cancel the application's coroutine, once: it may have to clean up."""
        self.given_up = True
        task, self.task = self.task, None
        if task:
            task.cancel()
            self._disconnect()
            self._host.wake()
