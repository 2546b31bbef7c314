"""One request through a gateway, an invoke loop and an application in this process."""

import http
import time
from collections.abc import Callable

import msgspec
import trio

from lambda_adapter.app.app import Call, Transport
from lambda_adapter.app.middleware import build_stack
from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, InvocationError
from lambda_adapter.http.messages import Response, Stream
from lambda_adapter.local.gateways.gateway import ClientRequest, EventMeta
from lambda_adapter.local.gateways.http_api import FunctionUrl
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.serve.invoke_loop import InvokeLoop

GATEWAY = FunctionUrl()
"""The gateway that changes least of a request: what differs is the adapter's doing."""

ADDED = frozenset(
    {
        *(b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto"),
        *(b"x-amzn-trace-id", b"x-amzn-tls-version", b"x-amzn-tls-cipher-suite"),
        *(b"x-amzn-request-context", b"x-amzn-lambda-context", b"x-amzn-requestid"),
        b"x-forwarded-prefix",
    }
)
"""What a gateway and the adapter add to each request."""

TIMEOUT = 20
"""Seconds that an invocation has. A test that goes on for longer fails."""

REMAPPED = b"x-amzn-Remapped-Content-Length"
"""The name that a function URL gives to the length of what is streamed."""

served: list[str] = []
"""The titles of all requests that came this way."""


class Runtime:
    """Lambda's side of an invoke loop: one event, and its reply."""

    def __init__(
        self,
        payload: bytes,
        replied: Callable[[], None],
        deliver: Callable[[bytes | None], None] = lambda _: None,
    ) -> None:
        self._payload = payload
        self._replied = replied
        self._deliver = deliver
        """Called with each piece of a streamed body, and then with None."""
        self._taken = trio.Event()
        self.is_stream = False
        self._has_gone = False
        self.loop: InvokeLoop | None = None
        self.reply: bytes | None = None
        self.error: AdapterError | None = None

    async def next_invocation(self, *, is_fresh: bool = False) -> Invocation:
        """Return the event."""
        await trio.lowlevel.checkpoint()
        deadline_ms = int((time.time() + TIMEOUT) * 1000)
        return Invocation("request-1", self._payload, deadline_ms)

    async def post_response(
        self,
        invocation: Invocation,
        reply: bytes,
        deadline: float = 0,
        *,
        is_fresh: bool = False,
    ) -> None:
        """Take the reply."""
        await trio.lowlevel.checkpoint()
        self.reply = reply
        self._end()

    async def post_stream(
        self, invocation: Invocation, prelude: bytes, body: bytes | Stream, about: Call
    ) -> None:
        """Take a stream, each piece once its client wants it."""
        self.reply, self.is_stream = prelude, True
        self._end()
        try:
            if isinstance(body, bytes):
                await self._hand_over(body)
            else:
                async for piece in body:
                    await self._hand_over(b"".join(piece))
        except InvocationError as error:
            self.error = error
        finally:
            if not isinstance(body, bytes):
                await body.aclose()
            self._deliver(None)

    async def _hand_over(self, piece: bytes) -> None:
        if not self._has_gone:
            self._taken = trio.Event()
            self._deliver(piece)
            await self._taken.wait()

    def take(self) -> None:
        """Have the next piece delivered."""
        self._taken.set()

    def let_go(self) -> None:
        """Take whatever comes, and have nothing delivered any more."""
        self._has_gone = True
        self._taken.set()

    async def post_error(self, invocation: Invocation, error: AdapterError) -> None:
        """Take an error in place of a reply."""
        await trio.lowlevel.checkpoint()
        self.error = error
        self._end()

    def is_being_answered(self) -> bool:
        """Return False: there is no second event."""
        return False

    def close(self) -> None:
        """Do nothing."""

    def _end(self) -> None:
        if self.loop:
            self.loop.stop()
        self._replied()


def make_payload(arrival: ClientRequest) -> bytes:
    """Return the event that a client's request becomes.

    Raises:
        RefusedError: the gateway does not pass the request on.
    """
    served.append(arrival.title)
    trace_id = "1-6aaf0c1a-0123456789abcdef01234567"
    stamp = EventMeta(time.time_ns() // 1_000_000, "request", trace_id)
    return GATEWAY.payload(arrival, stamp)


def make_config(kind: str, base_path: str) -> Config:
    """Return the settings of an application below a path, ``""`` for none."""
    environ = {f"AWS_LWA_{kind.upper()}_APP": "main:app"}
    if kind == "asgi":
        environ["AWS_LWA_INVOKE_MODE"] = "response_stream"
    if base_path:
        environ["AWS_LWA_REMOVE_BASE_PATH"] = base_path
    return Config(environ)


async def serve(runtime: Runtime, transport: Transport, config: Config) -> None:
    """Run an invoke loop for the one event."""
    transports = build_stack(transport, config)
    loop = InvokeLoop(runtime, transports, msgspec.Raw(b"{}"), config)  # type: ignore[arg-type]
    runtime.loop = loop
    await loop.run()


def response_of(runtime: Runtime, arrival: ClientRequest) -> Response:
    """Return the response that the gateway makes of what was posted."""
    if runtime.reply is None:
        return GATEWAY.failure()
    if runtime.is_stream:
        response = GATEWAY.streamed_response(runtime.reply)
        # Under its own name again, or no test that looks at it would pass.
        fields = [
            (b"content-length" if name == REMAPPED else name, value)
            for name, value in response.fields
        ]
        return msgspec.structs.replace(response, fields=fields)
    return GATEWAY.response(runtime.reply, arrival)


def reason_of(status: int, sent: str) -> str:
    """Return the application's own reason, which no gateway passes on, or the usual."""
    try:
        return sent or http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
