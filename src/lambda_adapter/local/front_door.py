"""The front door: HTTP in, an event to the function, HTTP out. An ASGI application."""

import secrets
import time
import uuid

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
)
from lambda_adapter.local.invocation import Invocation


class GatewayCall:
    """A request, and what the gateway makes of its invocation."""

    def __init__(self, gateway: Gateway, arrival: ClientRequest) -> None:
        self._gateway = gateway
        self._arrival = arrival
        self._clock = trio.CancelScope()

    async def invoke(self, function: Function) -> Invocation | None:
        """Invoke the function; None, if the gateway's own time limit is passed.

        Raises:
            RefusedError: the gateway does not pass the request on.
        """
        payload = self._gateway.payload(self._arrival, _stamp())
        self._clock.deadline = trio.current_time() + self._gateway.timeout
        with self._clock:
            return await function.invoke(payload, self._arrival.title, self.respond)
        return None

    def respond(self, invocation: Invocation) -> Response:
        """Return the response, or its head if there is more to come."""
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


class FrontDoor:
    """A gateway before a function, beside the Invoke API and a page."""

    def __init__(self, function: Function, gateway: Gateway, page_app: ASGIApp) -> None:
        self._function = function
        self._gateway = gateway
        self._invoke_api = invoke_api.InvokeApi(function)
        self._page = page_app

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
        if path.startswith(invoke_api.PREFIX):
            await self._invoke_api(scope, receive, send)
        elif path == inspector.PATH or path.startswith(f"{inspector.PATH}/"):
            # Starlette reads names in lower case, and here they are as sent.
            lower = [(name.lower(), value) for name, value in scope["headers"]]
            await self._page({**scope, "headers": lower}, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self._gateway
        body = await read_body(receive, gateway.max_body)
        if body is None:
            await send_whole(send, gateway.too_large())
            return
        try:
            invocation = await GatewayCall(gateway, _arrival(scope, body)).invoke(
                self._function
            )
        except RefusedError as refused:
            await send_whole(send, refused.response)
            return
        if invocation is None or invocation.response is None:
            await send_whole(send, gateway.late())
        elif invocation.pieces:
            await _stream(invocation, invocation.response, invocation.pieces, send)
        else:
            await send_whole(send, invocation.response)


async def _stream(
    invocation: Invocation,
    head: Response,
    pieces: trio.MemoryReceiveChannel[bytes],
    send: Send,
) -> None:
    """Send pieces as they come; break off where the function does."""
    async with pieces:
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


def _arrival(scope: Scope, body: bytes) -> ClientRequest:
    client, server = scope["client"], scope["server"]
    fields = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    query = scope["query_string"].decode("latin-1")
    path = _path(scope)
    if not path.startswith("/"):  # in absolute-form, as to a proxy
        path = "/" + path.partition("://")[2].partition("/")[2]
    host, port = str(client[0]), int(server[1])
    return ClientRequest(scope["method"], path, query, fields, body, host, port)


def _stamp() -> EventMeta:
    now = time.time()
    trace_id = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    return EventMeta(int(now * 1000), str(uuid.uuid4()), trace_id)


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
