"""Serve Lambda's Runtime API to the adapter of one environment.

Refusals have the same status and error type as those of AWS's emulator.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import base64
import binascii
import contextlib
import math
import secrets
import time
from collections.abc import Callable

import h11
import msgspec
import trio

from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.messages import Response
from lambda_adapter.local.extensions_api import (
    EVENT_NEXT,
    REGISTER,
    ExtensionsApi,
    refuse,
)
from lambda_adapter.local.h11_server import H11Exchange, serve
from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.local.options import Options
from lambda_adapter.runtime.api import DELIMITER, RUNTIME, parse_next

MAX_REPORT = 1_048_576
"""Largest error report in bytes."""


class _Report(msgspec.Struct, rename="camel"):
    error_message: str = ""
    error_type: str = ""


async def read_failure(exchange: H11Exchange) -> Failure:
    """Return the failure that a request reports in its body, or in a header."""
    kind = exchange.fields.get("lambda-runtime-function-error-type", "")
    return _failure(kind, await exchange.body(MAX_REPORT) or b"")


def failure_in_trailers(exchange: H11Exchange) -> Failure | None:
    """Return the failure that a stream's trailers report, if any.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
    """
    kind = exchange.trailers.get("lambda-runtime-function-error-type")
    if not kind:
        return None
    body = exchange.trailers.get("lambda-runtime-function-error-body", "")
    try:
        return _failure(kind, base64.b64decode(body))
    except binascii.Error:
        return _failure(kind, b"")


def _failure(kind: str, report: bytes) -> Failure:
    try:
        said = msgspec.json.decode(report, type=_Report)
    except msgspec.DecodeError:
        said = _Report(report.decode("utf-8", "replace"))
    return Failure(said.error_type or kind or "Runtime.Unknown", said.error_message)


MAX_PRELUDE = 16_384
"""Most bytes of a stream's prelude:
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html"""


async def take_stream(exchange: H11Exchange, invocation: Invocation) -> None:
    """Forward a stream, piece by piece, as fast as its reader takes the pieces."""
    # Without a buffer, so that a slow reader slows the application down, as on Lambda.
    # A failure is recorded before the channel is closed: the reader, which sees only
    # the end, then asks for it.
    sending, receiving = trio.open_memory_channel[bytes](0)
    async with sending:
        try:
            head = await _pieces(exchange, invocation, sending, receiving)
        except h11.RemoteProtocolError as error:
            invocation.fail(Failure("Runtime.TruncatedResponse", str(error)))
            raise
        if failure := failure_in_trailers(exchange):
            invocation.fail(failure)
        if not invocation.replied.is_set():
            invocation.begin(head, receiving)


async def _pieces(
    exchange: H11Exchange,
    invocation: Invocation,
    sending: trio.MemorySendChannel[bytes],
    receiving: trio.MemoryReceiveChannel[bytes],
) -> bytes:
    """Begin the reply once the prelude is complete; return the bytes if it never is."""
    head = b""
    async with contextlib.aclosing(exchange.pieces()) as pieces:
        async for piece in pieces:
            if invocation.replied.is_set():
                await _pass_on(sending, piece)
                continue
            head += piece
            prelude, delimiter, rest = head.partition(DELIMITER)
            if delimiter:
                invocation.begin(prelude, receiving)
            elif len(head) > MAX_PRELUDE:
                invocation.begin(b"", receiving)
                rest = prelude
            else:
                continue
            if rest:
                await _pass_on(sending, rest)
    return head


async def _pass_on(sending: trio.MemorySendChannel[bytes], piece: bytes) -> None:
    # If its client is gone, Lambda still reads the stream to its end.
    with contextlib.suppress(trio.BrokenResourceError):
        await sending.send(piece)


_NEXT = f"{RUNTIME.decode()}/invocation/next"
_INIT_ERROR = f"{RUNTIME.decode()}/init/error"
_INVOCATION = f"{RUNTIME.decode()}/invocation/"
_OK = b'{"status":"OK"}\n'

_METHODS = {_NEXT: "GET", _INIT_ERROR: "POST", REGISTER: "POST", EVENT_NEXT: "GET"}


def _method(path: str) -> str | None:
    """Return the only method that a path allows; None if the path is unknown."""
    if path in _METHODS or not path.startswith(_INVOCATION):
        return _METHODS.get(path)
    _, _, what = path.removeprefix(_INVOCATION).partition("/")
    return "POST" if what in {"response", "error"} else None


DEBUGGING = 86_400.0
"""Seconds until the deadline during debugging."""


class RuntimeApi:
    """Delivers invocations, and accepts replies, streams and errors.

    ``on_idle`` is called when all of the runtime's loops wait for an event, and
    ``on_event`` before one of them gets it; None, if nothing is to happen then.
    """

    def __init__(
        self,
        options: Options,
        on_idle: Callable[[], None] | None = None,
        on_event: Callable[[], None] | None = None,
    ) -> None:
        self._timeout = DEBUGGING if options.is_debugged else options.timeout
        self._arn = options.arn
        self._extensions = ExtensionsApi(options)
        self._concurrency = options.concurrency
        self._on_idle = on_idle
        self._on_event = on_event
        self._queue, self._events = trio.open_memory_channel[Invocation](math.inf)
        self._open: dict[str, Invocation] = {}
        self._waiting = 0
        self.asked = trio.Event()
        """Set once the runtime requests its first event, which ends the init."""
        self.init_failure: Failure | None = None
        """The failure that the runtime reported for its init."""

    def put(self, invocation: Invocation) -> None:
        """Queue an invocation for the next loop that requests one."""
        self._queue.send_nowait(invocation)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection of the runtime."""
        await serve(stream, self._respond)

    async def _respond(self, exchange: H11Exchange) -> None:
        path = exchange.target.partition("?")[0]
        method = _method(path)
        if exchange.method != method:
            await exchange.body(0)
            if method is None:
                await exchange.respond(404, b"404 page not found\n")
            else:
                await exchange.respond(405, fields={"Allow": method})
        elif path == _NEXT:
            await self._next(exchange)
        elif path == REGISTER:
            await self._extensions.register(exchange, is_open=not self.asked.is_set())
        elif path == EVENT_NEXT:
            await self._extensions.next_event(exchange)
        elif path == _INIT_ERROR:
            await self._fail_init(exchange)
        else:
            request_id, _, what = path.removeprefix(_INVOCATION).partition("/")
            await self._take(exchange, request_id, what)

    async def _fail_init(self, exchange: H11Exchange) -> None:
        """Accept the report of a failed init, once, and only during the init."""
        failure = await read_failure(exchange)
        if self.asked.is_set() or self.init_failure:
            await refuse(exchange, 403, *_WRONG_STATE)
        else:
            self.init_failure = failure
            await exchange.respond(202, _OK)

    async def _next(self, exchange: H11Exchange) -> None:
        """Deliver an event. The request also ends the invocation before it."""
        # A GET has no body, but if one is sent it must be read, since the connection is
        # kept.
        async with contextlib.aclosing(exchange.pieces()) as nothing:
            async for _ in nothing:
                pass
        self.asked.set()
        # Only those with a reply: with several loops, the others are still at work.
        for invocation in list(self._open.values()):
            if invocation.replied.is_set():
                del self._open[invocation.request_id]
                invocation.finish()
        self._waiting += 1
        try:
            # Frozen only once no loop works on anything, as on Lambda.
            if self._on_idle and self._waiting == self._concurrency:
                self._on_idle()
            invocation = await self._events.receive()
        finally:
            self._waiting -= 1
        if self._on_event:
            self._on_event()
        self._open[invocation.request_id] = invocation
        about = self._about(invocation)
        fields = [(name.encode(), value.encode()) for name, value in about.items()]
        # By the adapter's own parser, so that the inspector shows what the adapter
        # gets.
        invocation.delivered = parse_next(
            Response(200, b"", fields, invocation.payload)
        )
        invocation.hand()
        await exchange.respond(200, invocation.payload, about)

    def _about(self, invocation: Invocation) -> dict[str, str]:
        now = time.time()
        root = f"1-{int(now):08x}-{secrets.token_hex(12)}"
        context = invocation.client_context
        return {
            **({"Lambda-Runtime-Client-Context": context} if context else {}),
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((now + self._timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": (
                f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
            ),
        }

    async def _take(self, exchange: H11Exchange, request_id: str, what: str) -> None:
        """Accept the result of an invocation: ``response`` or ``error``."""
        invocation = self._open.get(request_id)
        mode = exchange.fields.get("lambda-runtime-function-response-mode")
        if invocation is None:
            await exchange.body(0)
            await refuse(exchange, 400, "InvalidRequestID", "Invalid request ID")
        elif invocation.replied.is_set():
            await exchange.body(0)
            await refuse(exchange, 403, *_WRONG_STATE)
        elif what == "error":
            invocation.fail(await read_failure(exchange))
            await exchange.respond(202, _OK)
        elif mode == "streaming":
            await take_stream(exchange, invocation)
            await exchange.respond(202, _OK)
        elif mode:
            await exchange.body(0)
            error = Failure("InvalidFunctionResponseMode", f"Invalid mode: {mode}")
            invocation.fail(error)
            await refuse(exchange, 400, error.error_type, error.message)
        else:
            await _take_reply(exchange, invocation)


_WRONG_STATE = ("InvalidStateTransition", "State transition is not allowed")


async def _take_reply(exchange: H11Exchange, invocation: Invocation) -> None:
    reply = await exchange.body(MAX_REPLY)
    if reply is not None:
        invocation.take(reply)
        await exchange.respond(202, _OK)
        return
    said = f"Exceeded maximum allowed payload size ({MAX_REPLY} bytes)."
    message = (
        f"Response payload size exceeded maximum allowed payload size ({MAX_REPLY}"
    )
    kind = "Function.ResponseSizeTooLarge"
    invocation.fail(Failure(kind, f"{message} bytes)."))
    await refuse(exchange, 413, "RequestEntityTooLarge", said)
