"""One request to an ASGI application: its ``receive`` and its ``send``.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from collections import deque

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.asgi.host import Cancelled, Gate, Host, Message, Task
from lambda_adapter.app.in_process.asgi.messages import (
    Start,
    body_of,
    file_of,
    start_of,
)
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.app.in_process.response import BODILESS, log_failure, name_call
from lambda_adapter.errors import AppFailedError
from lambda_adapter.http.messages import Request
from lambda_adapter.observe.logs import log


class BodyOverLimitError(Exception):
    """A body that is not streamed has more bytes than a reply can have."""


class Body:
    """The pieces that nobody has taken yet.

    ``limit`` is how many bytes there may be in all, None if they are streamed. The
    response to HEAD has no body: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    """

    def __init__(self, *, is_head: bool, limit: int | None) -> None:
        self._is_head = is_head
        self._limit = limit
        self._size = 0
        self._pieces: deque[bytes] = deque()

    def __bool__(self) -> bool:
        """Return whether there is a piece to take."""
        return bool(self._pieces)

    def add(self, start: Start, piece: bytes, *, more: bool) -> None:
        """Add a piece, unless the response has no body.

        Raises:
            BodyOverLimitError: there are too many bytes.
            RuntimeError: there are more than were declared, or fewer at the end.
        """
        if self._is_head or start.status in BODILESS:
            return
        self._size += len(piece)
        if self._limit is not None and self._size > self._limit:
            self._pieces.clear()  # of no use any more, and megabytes
            raise BodyOverLimitError
        if start.length is not None and (
            self._size > start.length or (not more and self._size < start.length)
        ):
            raise RuntimeError(
                f"the body has {self._size} bytes, and Content-Length is {start.length}"
            )
        if piece:
            self._pieces.append(piece)

    def take(self) -> bytes:
        """Return all that there is, in one piece."""
        if len(self._pieces) == 1:
            return self._pieces.popleft()
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body


class ClientDisconnectedError(OSError):
    """Nobody takes the response any more; an application may ignore it.

    https://asgi.readthedocs.io/en/latest/specs/www.html#disconnected-client-send-exception
    """


def is_expected(error: BaseException) -> bool:
    """Return whether this is only what giving up brings about."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(each) for each in error.exceptions)
    return isinstance(error, (ClientDisconnectedError, Cancelled))


_REQUEST: Message = {"type": "http.request", "more_body": False}
_DISCONNECT: Message = {"type": "http.disconnect"}


class HTTPCycle:
    """What an application was asked, what it has sent, and how it ended."""

    task: Task | None = None
    start: Start | None = None
    complete = False
    """Whether the last piece of the response was sent."""
    over = False
    """Whether the application's coroutine has ended."""
    too_large = False
    given_up = False
    """Whether nobody takes the response any more."""
    disconnected = False
    """Whether ``receive`` says that the client is gone."""

    def __init__(self, host: Host, request: Request, call: Call) -> None:
        self._host = host
        self._request = request
        self._call = call
        self._streamed = call.streamed
        limit = None if call.streamed else call.max_body
        self._body = Body(is_head=request.method == b"HEAD", limit=limit)
        self._was_received = False
        self._began = False
        """Whether the body has begun, and with it what is streamed."""
        self._held: list[Gate] = []
        """Where ``send`` waits until its piece is taken, or the reply is posted."""
        self._listening: list[Gate] = []
        """Where ``receive`` waits for the end of the response."""
        self._news: trio.Event | None = None

    # What the application calls.

    async def receive(self) -> Message:
        """Return the request's body, then wait until the response is complete."""
        if not self._was_received:
            self._was_received = True
            return {**_REQUEST, "body": self._request.body}
        if not self.disconnected:
            gate = self._host.gate()
            self._listening.append(gate)
            try:
                await gate.wait()
            finally:  # whoever polls gives up waiting each time
                if gate in self._listening:
                    self._listening.remove(gate)
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        """Take a message; return once the next one can be sent.

        Nothing that an application does after its last message delays its response:
        that ``send`` returns when the reply is posted.

        Raises:
            ClientDisconnectedError: nobody takes it.
            RuntimeError, ValueError, TypeError: it is not the message that may follow.
        """
        end_if_child()
        if self.given_up:
            raise ClientDisconnectedError("the request was given up")
        kind = message["type"]
        if self.complete:
            raise RuntimeError(f"{kind} after the response was complete")
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
            self._body.add(start, piece, more=more)
        except BodyOverLimitError:
            self.too_large = True
            self._tell()
            self.give_up()
            raise ClientDisconnectedError("more than AWS Lambda can return") from None
        if more and not self._streamed:
            return
        self._began = True
        if not more:
            self.complete = True
        self._tell()
        if more and not self._body:  # nobody takes nothing
            return
        gate = self._host.gate()
        self._held.append(gate)
        try:
            await gate.wait()
        finally:
            # By the sender's own step, so that who listens for the end does not go on
            # before it and cancel this ``send``.
            if not more:
                self._hang_up()
        if self.given_up and more:
            raise ClientDisconnectedError("the request was given up")

    def _hang_up(self) -> None:
        self.disconnected = True
        for gate in self._listening:
            gate.open()
        self._listening.clear()

    def ended(self, error: BaseException | None) -> None:
        """Take note that the application's coroutine has ended, and log why."""
        self.over = True
        self._hang_up()
        self._tell()
        if error is not None and not (self.given_up and is_expected(error)):
            when = ", after its response was complete" if self.complete else ""
            log_failure(self.subject, error, when)
        elif not self.complete and not self.given_up:
            log_failure(self.subject, None)

    @property
    def subject(self) -> str:
        """``METHOD PATH``, for the log."""
        return name_call(self._call, self._request)

    def log_late_work(self) -> None:
        """Log that the work after the response is cancelled."""
        late = self._call.late("the work after the response was cancelled")
        log.error("%s", late.line(self.subject))

    # What the transport calls.

    async def wait_news(self) -> None:
        """Wait until there is a piece, the end of the response or the end of all."""
        self._news = trio.Event()
        await self._news.wait()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()

    @property
    def ready(self) -> bool:
        """Whether there is a response, or will be none."""
        return bool(
            self.complete
            or self.over
            or self.too_large
            or (self._streamed and self._began)
        )

    def take_body(self) -> bytes:
        """Return what has come of the body."""
        return self._body.take()

    def _has_news(self) -> bool:
        return bool(self._body) or self.complete or self.over

    async def next_piece(self) -> bytes:
        """Return the next piece of a streamed body, and ``b""`` after the last one.

        Raises:
            AppFailedError: the application ended before.
            DeadlineError: there was none in time.
        """
        if not (self._body or self.complete):
            self.go_on()
            with trio.move_on_at(self._call.deadline) as limit:
                while not self._has_news():
                    await self.wait_news()
            if limit.cancelled_caught:
                raise self._call.late()
        if not (self._body or self.complete):
            raise AppFailedError("the application failed within its response")
        return self._body.take()

    def go_on(self) -> None:
        """Let a ``send`` that waits return."""
        for gate in self._held:
            gate.open()
        self._held.clear()
        self._host.wake()

    def give_up(self) -> None:
        """Have the application told that nobody takes its response."""
        self.given_up = True
        self._hang_up()
        self.go_on()

    def let_go(self) -> None:
        """Give up what has not come yet of the response."""
        if not self.complete:
            self.give_up()

    def cancel(self) -> None:
        """Cancel the application's coroutine, once: it may have to clean up."""
        self.given_up = True
        task, self.task = self.task, None
        if task:
            task.cancel()
            self._hang_up()
            self._host.wake()
