"""The front door: HTTP in, an event to the function, HTTP out. An ASGI application.

Shell.
"""

import secrets
import time
import uuid

import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from lambda_adapter.http.messages import Response
from lambda_adapter.local import invoke_api
from lambda_adapter.local.asgi import read_body, send_head, send_piece, send_whole
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateways.arrival import Arrival, Stamp
from lambda_adapter.local.gateways.gateway import (
    Gateway,
    MalformedReplyError,
    RefusedError,
)
from lambda_adapter.local.invocation import Invocation

PAGE = "/_lambda"
"""Where the page of invocations is, and all that it is made of."""


class FrontDoor:
    """A gateway before a function, beside the Invoke API and a page."""

    def __init__(self, function: Function, gateway: Gateway, page: ASGIApp) -> None:
        self._function = function
        self._gateway = gateway
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        match scope["type"]:
            case "lifespan":
                await _live(receive, send)
            case "websocket":
                await _refuse_websocket(receive, send)
            case _:
                await self._route(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _path(scope)
        if path == invoke_api.PATH:
            await invoke_api.respond(self._function, receive, send)
        elif path == PAGE or path.startswith(f"{PAGE}/"):
            await self._page(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self._gateway
        body = await read_body(receive, gateway.max_body)
        if body is None:
            await send_whole(send, gateway.too_large())
            return
        arrival = _arrival(scope, body)
        try:
            payload = gateway.payload(arrival, _stamp())
        except RefusedError as refused:
            await send_whole(send, refused.response)
            return
        invocation: Invocation | None = None
        with trio.move_on_after(gateway.timeout):
            invocation = await self._function.invoke(payload, arrival.title)
        if invocation is None:
            await send_whole(send, gateway.late())
        elif invocation.pieces and gateway.streams and not invocation.failure:
            await self._stream(invocation, send)
        else:
            await send_whole(send, self._response(invocation, arrival))

    def _response(self, invocation: Invocation, arrival: Arrival) -> Response:
        """Return the response that the gateway makes of an invocation."""
        gateway = self._gateway
        if invocation.failure and not invocation.reply_payload:
            invocation.response = gateway.failure()
            return invocation.response
        try:
            if invocation.pieces:
                invocation.pieces.close()
                gateway.streamed_response(invocation.reply_payload)
            response = gateway.response(invocation.reply_payload, arrival)
        except MalformedReplyError as error:
            invocation.note = str(error)
            response = gateway.failure()
        invocation.response = response
        return response

    async def _stream(self, invocation: Invocation, send: Send) -> None:
        """Send pieces as they come; break off where the function does."""
        pieces = invocation.pieces
        if pieces is None:
            return
        async with pieces:
            try:
                head = self._gateway.streamed_response(invocation.reply_payload)
            except MalformedReplyError as error:
                invocation.note = str(error)
                head = self._gateway.failure()
                invocation.response = head
                await send_whole(send, head)
                return
            invocation.response = head
            await send_head(send, head)
            async for piece in pieces:
                await send_piece(send, piece, more=True)
        if invocation.failure:
            raise BrokenOffError(invocation.failure.message)
        await send_piece(send, b"", more=False)


class BrokenOffError(Exception):
    """A stream that broke off: the connection is closed, so that its client sees it."""


def _path(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    return path.decode("latin-1")


def _arrival(scope: Scope, body: bytes) -> Arrival:
    client, server = scope["client"], scope["server"]
    fields = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    path = _path(scope)
    if not path.startswith("/"):  # in absolute-form, as to a proxy
        path = "/" + path.partition("://")[2].partition("/")[2]
    host, port = str(client[0]), int(server[1])
    return Arrival(scope["method"], path, query, fields, body, host, port)


def _stamp() -> Stamp:
    now = time.time()
    trace_id = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    return Stamp(int(now * 1000), str(uuid.uuid4()), trace_id)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse_websocket(receive: Receive, send: Send) -> None:
    """Refuse: no gateway here takes a WebSocket to a function's URL."""
    await receive()
    start = {"type": "websocket.http.response.start", "status": 400, "headers": []}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": b""})
