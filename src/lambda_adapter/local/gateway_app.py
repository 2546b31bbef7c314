"""The gateway, an ASGI application: HTTP in, an event to the function, HTTP out."""

import secrets
import time
import uuid

import msgspec
import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from lambda_adapter.http.messages import Response
from lambda_adapter.local import inspector, invoke_api
from lambda_adapter.local.asgi import read_body, send_head, send_piece, send_whole
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateways.gateway import (
    ClientRequest,
    EventMeta,
    Gateway,
    MalformedReplyError,
    RefusedError,
    json_response,
)
from lambda_adapter.local.guard import OPTION, Guard
from lambda_adapter.local.invocation import Invocation


class GatewayCall:
    """A request, and the gateway's response to its invocation."""

    def __init__(self, gateway: Gateway, arrival: ClientRequest) -> None:
        self._gateway = gateway
        self._arrival = arrival
        self._clock = trio.CancelScope()

    async def invoke(self, function: Function) -> Invocation | None:
        """Invoke the function; return None if the gateway times out.

        Raises:
            RefusedError: the gateway does not forward the request.
        """
        payload = self._gateway.payload(self._arrival, _stamp())
        if not function.options.is_debugged:
            self._clock.deadline = trio.current_time() + self._gateway.timeout
        with self._clock:
            return await function.invoke(payload, self._arrival.title, self.respond)
        return None

    def respond(self, invocation: Invocation) -> Response:
        """Return the response, or only its head if it is streamed."""
        gateway = self._gateway
        if self._clock.cancelled_caught:
            invocation.drop_pieces()
            return gateway.late()
        if invocation.failure:
            return gateway.failure()
        try:
            if invocation.pieces:
                return gateway.streamed_response(invocation.reply_payload)
            return gateway.response(invocation.reply_payload, self._arrival)
        except MalformedReplyError as error:
            invocation.note = str(error)
            invocation.drop_pieces()
            return gateway.failure()


class GatewayApp:
    """A gateway in front of a function, with the Invoke API and the inspector."""

    def __init__(
        self,
        function: Function,
        gateway: Gateway,
        page_app: ASGIApp,
        guard: Guard,
    ) -> None:
        self._function = function
        self._gateway = gateway
        self._invoke_api = invoke_api.InvokeApi(function)
        self._page = page_app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "websocket":
            title = f"GET {_path(scope)}"
            self._refuse(
                title, _NO_WEBSOCKET, "a WebSocket, which no function's gateway accepts"
            )
            await _refuse_websocket(receive, send)
            return
        title = f"{scope['method']} {_path(scope)}"
        if host := self._guard.refuses_host(scope["headers"]):
            why = f"Host {host!r} is not of this machine: allow it with {OPTION}"
            await self._send_refusal(title, why, send)
        else:
            await self._route(title, scope, receive, send)

    async def _route(
        self, title: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        path = _path(scope)
        if path.startswith(invoke_api.PREFIX):
            if origin := self._guard.refuses_origin(scope["headers"]):
                why = f"a page of {origin} may not invoke the function: {OPTION} may"
                await self._send_refusal(title, why, send)
                return
            await self._invoke_api(scope, receive, send)
        elif path == inspector.PATH or path.startswith(f"{inspector.PATH}/"):
            # Starlette expects names in lower case, but hypercorn leaves them as sent.
            lower = [(name.lower(), value) for name, value in scope["headers"]]
            await self._page({**scope, "headers": lower}, receive, send)
        else:
            await self._forward(title, scope, receive, send)

    async def _forward(
        self, title: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        gateway = self._gateway
        body = await read_body(receive, gateway.max_body)
        try:
            if body is None:
                why = f"its body is over {gateway.max_body:,} bytes"
                raise RefusedError(gateway.too_large(), why)
            call = GatewayCall(gateway, _arrival(scope, body))
            invocation = await call.invoke(self._function)
        except RefusedError as refused:
            self._refuse(title, refused.response, str(refused))
            await send_whole(send, refused.response)
            return
        if invocation is None or invocation.response is None:
            await send_whole(send, gateway.late())
        elif invocation.pieces:
            await _stream_body(invocation, invocation.response, invocation.pieces, send)
        else:
            await send_whole(send, invocation.response)

    async def _send_refusal(self, title: str, why: str, send: Send) -> None:
        response = json_response(403, msgspec.json.encode({"message": why}))
        self._refuse(title, response, why)
        await send_whole(send, response)

    def _refuse(self, title: str, response: Response, why: str) -> None:
        self._function.refuse(title, response, why)

    def note_refused_connection(self, status: int, why: str) -> None:
        """Report a connection that was refused before there was a request."""
        self._refuse("(no request)", Response(status, b"", [], b""), why)


_NO_WEBSOCKET = Response(400, b"", [], b"")


async def _stream_body(
    invocation: Invocation,
    head: Response,
    pieces: trio.MemoryReceiveChannel[bytes],
    send: Send,
) -> None:
    """Send pieces as they arrive; break off if the function fails."""
    async with pieces:
        await send_head(send, head)
        async for piece in pieces:
            await send_piece(send, piece, more=True)
    if invocation.failure:
        raise BrokenOffError(invocation.failure.message)
    await send_piece(send, b"", more=False)


class BrokenOffError(Exception):
    """A stream broke off. The connection is closed, so that the client notices."""


def _path(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    return path.decode("latin-1")


def _arrival(scope: Scope, body: bytes) -> ClientRequest:
    client, server = scope["client"], scope["server"]
    fields = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    path = _path(scope)
    # In absolute-form, as clients send it to a proxy.
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    host, port = str(client[0]), int(server[1])
    return ClientRequest(scope["method"], path, query, fields, body, host, port)


def _stamp() -> EventMeta:
    now = time.time()
    trace_id = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    return EventMeta(int(now * 1000), str(uuid.uuid4()), trace_id)


async def _refuse_websocket(receive: Receive, send: Send) -> None:
    """Refuse a WebSocket: none of these gateways supports it."""
    await receive()
    start = {"type": "websocket.http.response.start", "status": 400, "headers": []}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": b""})
