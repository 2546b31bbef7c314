"""Lambda's Runtime API and Extensions API, on a real socket, in this process.

It hands out what is queued, keeps what is posted, and responds in the words of AWS's
emulator. A test that wants another response puts raw bytes into ``scripted``.
"""

import json
import re
import time
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httptools
import trio

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
REGISTER = "/2020-01-01/extension/register"
EVENT_NEXT = "/2020-01-01/extension/event/next"
METHODS = {
    **dict.fromkeys([NEXT, RESTORE_NEXT, EVENT_NEXT], "GET"),
    **dict.fromkeys([INIT_ERROR, RESTORE_ERROR, REGISTER], "POST"),
}
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:1:function:f"
MODE = "lambda-runtime-function-response-mode"
DELIMITER = bytes(8)


def replied(status: int, body: bytes = b"{}", fields: bytes = b"") -> bytes:
    """Return a response of Lambda's, after which the connection stays open."""
    head = b"HTTP/1.1 %d Whatever\r\n%scontent-length: %d\r\n\r\n"
    return head % (status, fields, len(body)) + body


@dataclass
class Posted:
    """A request that reached the Runtime API, or is arriving there."""

    method: str = ""
    """Empty until the head is whole."""
    target: str = ""
    version: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    """The field lines of the head, as they came."""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    """The field lines of the trailer section, as they came."""
    size: int = 0
    """Bytes of the body that have come."""
    connection: int = 0
    complete: bool = False
    _pieces: list[bytes] = field(default_factory=list)

    # httptools' callbacks
    def on_url(self, url: bytes) -> None:
        self.target += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        lines = self.trailers if self.method else self.lines
        lines.append((name.decode(), value.decode()))

    def on_headers_complete(self) -> None:
        self.method = "known in a moment"

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self.size += len(data)

    def on_message_complete(self) -> None:
        self.complete = True

    @property
    def fields(self) -> dict[str, str]:
        """Its fields, by their names in lower case."""
        return {name.lower(): value for name, value in self.lines}

    @property
    def body(self) -> bytes:
        """What has come of its body."""
        self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    @property
    def kind(self) -> str:
        """``response``, ``error``, ``next`` and so on: how its target ends."""
        return self.target.rpartition("/")[2]

    def json(self) -> dict[str, object]:
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document

    @property
    def is_stream(self) -> bool:
        return self.fields.get(MODE) == "streaming"

    def prelude(self) -> dict[str, object]:
        """Return what stands before the delimiter of a stream."""
        prelude, delimiter, _ = self.body.partition(DELIMITER)
        assert (self.is_stream, delimiter) == (True, DELIMITER)
        document = json.loads(prelude)
        assert isinstance(document, dict)
        return document

    def content(self) -> bytes:
        """Return what has come after the delimiter of a stream."""
        return self.body.partition(DELIMITER)[2]


@dataclass
class Event:
    """An event that waits for its reply."""

    request_id: str
    payload: bytes
    fields: dict[str, str]
    answered: trio.Event = field(default_factory=trio.Event)
    answers: list[Posted] = field(default_factory=list)


class FakeRuntimeApi:
    """What Lambda's side saw, and what it says next."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.posted: list[Posted] = []
        """Every request, in the order in which they came."""
        self.arriving: list[Posted] = []
        """The same from their heads on, so those as well that never end."""
        self.scripted: dict[str, deque[bytes]] = defaultdict(deque)
        """Raw answers to the next requests whose target ends so. ``b""`` hangs up, and
        what ends within a message does so as well."""
        self.held: dict[str, trio.Event] = {}
        """What requests whose target ends so wait for, before they are answered."""
        self.meanwhile: dict[
            str, Callable[[trio.SocketStream, Posted], Awaitable[None]]
        ] = {}
        """What is done before more is read of a request whose target ends so. It may
        wait, hang up, or answer early."""
        self.closed: set[int] = set()
        """The numbers of the connections that are closed."""
        self.polls = 0
        """How many ``/next`` wait now; more than ``max_polls`` fail the test."""
        self.max_polls = 1
        self._send_event, self._events = trio.open_memory_channel[Event](1000)
        self._open: dict[str, Event] = {}
        self.extensions: dict[str, str] = {}
        """The identifiers of the extensions that have registered, by their names."""
        self._asked = False
        """Whether the runtime has asked for an event, which ends its init."""
        self._init_failed = False
        self._ids = 0
        self._connections = 0
        self._streams: set[trio.SocketStream] = set()
        self._news = trio.Condition()

    async def invoke(self, payload: bytes | object, **fields: str) -> Posted:
        """Queue an event, JSON-encoded unless it is bytes, and return its reply.

        Fields are those of ``/next``, their underscores standing for hyphens.
        """
        self._ids += 1
        request_id = f"request-{self._ids}"
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        names = {name.replace("_", "-"): value for name, value in fields.items()}
        event = Event(request_id, raw, names)
        await self._send_event.send(event)
        with trio.fail_after(20):
            await event.answered.wait()
        return event.answers[0]

    async def wait_posted(self, kind: str) -> Posted:
        """Wait for a request whose target ends so."""
        await self.wait(lambda: any(_of_kind(self.posted, kind)))
        return next(_of_kind(self.posted, kind))

    async def wait_arriving(self, kind: str, size: int = 0) -> Posted:
        """Wait for the head of such a request, and this much of its body."""
        await self.wait(
            lambda: any(each.size >= size for each in _of_kind(self.arriving, kind))
        )
        return next(each for each in _of_kind(self.arriving, kind) if each.size >= size)

    async def wait_content(self, posted: Posted, content: bytes) -> None:
        """Wait until just this has come of a stream's body."""
        await self.wait(lambda: len(posted.content()) >= len(content))
        assert posted.content() == content

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, which is looked at with all that arrives."""
        with trio.fail_after(20):
            async with self._news:
                while not condition():
                    await self._news.wait()

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        self._connections += 1
        number = self._connections
        self._streams.add(stream)
        async with stream:
            try:
                while (request := await self._receive(stream, number)) is not None:
                    self.posted.append(request)
                    await self._notify()
                    if not await self._answer(stream, request):
                        return
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            finally:
                self._streams.discard(stream)
                self.closed.add(number)
                with trio.CancelScope(shield=True):
                    await self._notify()

    async def drop_connections(self) -> None:
        """Hang up, as Lambda may between two requests."""
        for stream in list(self._streams):
            await stream.aclose()

    async def _receive(self, stream: trio.SocketStream, number: int) -> Posted | None:
        request = Posted(connection=number)
        parser = httptools.HttpRequestParser(request)
        while not request.complete:
            for end, do in self.meanwhile.items():
                if request.target.endswith(end) and request.method:
                    await do(stream, request)
            data = await stream.receive_some()
            if not data:
                return None
            had_head = request.method
            parser.feed_data(data)
            if request.method and not had_head:
                request.method = parser.get_method().decode()
                request.version = parser.get_http_version()
                self.arriving.append(request)
            await self._notify()
        return request

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _answer(self, stream: trio.SocketStream, request: Posted) -> bool:
        for end, event in self.held.items():
            if request.target.endswith(end):
                await event.wait()
        for end, raw_answers in self.scripted.items():
            if request.target.endswith(end) and raw_answers:
                raw = raw_answers.popleft()
                if raw:
                    await stream.send_all(raw)
                return raw.endswith(b"}")
        method = _method(request.target)
        if request.method != method:
            allowed = {"allow": method} if method else {}
            await _send(
                stream, 405 if method else 404, b"404 page not found\n", allowed
            )
        elif request.target == NEXT:
            await self._answer_next(stream)
        elif request.target == REGISTER:
            await self._register(stream, request)
        elif request.target == RESTORE_NEXT:
            await _send(stream, 200, b"")
        elif request.target == EVENT_NEXT:
            await self._answer_event_next(stream, request)
        elif request.target in {INIT_ERROR, RESTORE_ERROR}:
            await self._take_init_error(stream, request)
        else:
            await self._take(stream, request)
        return True

    async def _register(self, stream: trio.SocketStream, request: Posted) -> None:
        if error := self._refuses(request):
            await _send(stream, 403, b'{"errorType":"%s"}' % error)
            return
        name = request.fields["lambda-extension-name"]
        self.extensions[name] = str(uuid.uuid4())
        identifier = {"lambda-extension-identifier": self.extensions[name]}
        await _send(stream, 200, b'{"functionName":"f"}', identifier)

    def _refuses(self, request: Posted) -> bytes:
        try:
            events = set(json.loads(request.body).get("events") or [])
        except (ValueError, AttributeError):
            return b"InvalidRequestFormat"
        name = request.fields.get("lambda-extension-name")
        if not name:
            return b"Extension.InvalidExtensionName"
        if self._asked:
            return b"Extension.RegistrationClosed"
        if name in self.extensions:
            return b"Extension.InvalidExtensionState"
        return b"Extension.InvalidEventType" if events - {"INVOKE"} else b""

    async def _answer_event_next(
        self, stream: trio.SocketStream, request: Posted
    ) -> None:
        given = request.fields.get("lambda-extension-identifier", "")
        if given in self.extensions.values():
            await trio.sleep_forever()
        is_uuid = re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", given)
        kind = b"Missing" if not given else b"Unknown" if is_uuid else b"Invalid"
        error = b'{"errorType":"Extension.%sExtensionIdentifier"}' % kind
        await _send(stream, 403, error)

    async def _take_init_error(
        self, stream: trio.SocketStream, request: Posted
    ) -> None:
        is_late = request.target == INIT_ERROR and (self._asked or self._init_failed)
        self._init_failed = True
        if is_late:
            await _send(stream, 403, b'{"errorType":"InvalidStateTransition"}')
        else:
            await _send(stream, 202, b'{"status":"OK"}')

    async def _answer_next(self, stream: trio.SocketStream) -> None:
        assert self.polls < self.max_polls, "too many /next at once"
        self._asked = True
        self.polls += 1
        await self._notify()
        try:
            event = await self._next_event(stream)
        finally:
            self.polls -= 1
        await self._notify()
        if event is None:
            return
        self._open[event.request_id] = event
        said = {
            "lambda-runtime-aws-request-id": event.request_id,
            "lambda-runtime-deadline-ms": str(int((time.time() + 30) * 1000)),
            "lambda-runtime-invoked-function-arn": FUNCTION_ARN,
            "content-type": "application/json",
        }
        await _send(stream, 200, event.payload, said | event.fields)

    async def _next_event(self, stream: trio.SocketStream) -> Event | None:
        """Wait for an event, but not for longer than the adapter does."""
        event: Event | None = None
        async with trio.open_nursery() as nursery:

            async def cancel_when_gone() -> None:
                await trio.lowlevel.wait_readable(stream.socket)
                nursery.cancel_scope.cancel()

            nursery.start_soon(cancel_when_gone)
            event = await self._events.receive()
            nursery.cancel_scope.cancel()
        return event

    async def _take(self, stream: trio.SocketStream, request: Posted) -> None:
        request_id = request.target.split("/")[-2]
        event = self._open.get(request_id)
        if event is None:
            await _send(stream, 400, b'{"errorType":"InvalidRequestID"}')
            return
        event.answers.append(request)
        if len(event.answers) > 1:
            await _send(stream, 403, b'{"errorType":"InvalidStateTransition"}')
        elif request.fields.get(MODE) not in {None, "", "streaming"}:
            await _send(stream, 400, b'{"errorType":"InvalidFunctionResponseMode"}')
        elif request.size > (209_715_200 if request.is_stream else 6_291_556):
            await _send(stream, 413, b'{"errorType":"RequestEntityTooLarge"}')
        else:
            await _send(stream, 202, b'{"status":"OK"}')
        event.answered.set()


def _method(target: str) -> str | None:
    """Return the one method that a target takes; None if there is nothing there."""
    if re.search("/invocation/[^/]+/(response|error)$", target):
        return "POST"
    return METHODS.get(target)


def _of_kind(posted: list[Posted], kind: str) -> Iterator[Posted]:
    return (each for each in posted if each.target.endswith(kind))


async def _send(
    stream: trio.SocketStream,
    status: int,
    body: bytes,
    fields: dict[str, str] | None = None,
) -> None:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    await stream.send_all(head + body)


@asynccontextmanager
async def open_fake_runtime_api() -> AsyncIterator[FakeRuntimeApi]:
    """Serve on a port that the system chooses."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    fake = FakeRuntimeApi(listeners[0].socket.getsockname()[1])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, fake.serve, listeners)
        yield fake
        nursery.cancel_scope.cancel()
