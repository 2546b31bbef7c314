"""The endpoint of a MicroVM: hold, forward and close connections as bytes.

A MicroVM gets any traffic that a port for HTTP/1.1 can have: WebSockets, HTTP/2 in
clear text, gRPC. So only the head of a connection's first request is parsed, to decide
whether it is for the page or the application, and whether to refuse a browser. A
browser uses one connection for both, so a request for the page may also arrive later.
"""

import contextlib
import re

import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_adapter.http.messages import Address, Response
from lambda_adapter.local import inspector
from lambda_adapter.local.guard import OPTION, Guard
from lambda_adapter.local.http_server import MAX_HEAD, Handle, Received
from lambda_adapter.local.microvm.machine import MicroVM
from lambda_adapter.local.ports import SetupError

CHUNK = 65_536
"""Bytes per ``recv``."""

BROKEN = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)

STATUS = {403: "Forbidden", 502: "Bad Gateway"}


class Endpoint:
    """Forwards connections to a MicroVM, and those for its page to the page."""

    def __init__(self, microvm: MicroVM, page: Handle, path: str, guard: Guard) -> None:
        self._microvm = microvm
        self._page = page
        self._guard = guard
        self._asks_page = re.compile(rb"(GET|POST) %s" % re.escape(path.encode()))

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve a connection until its end."""
        async with stream:
            try:
                head = await _read_head(stream)
                while head:
                    head = await self._serve(stream, head)
            except BROKEN:
                return

    async def _serve(self, stream: trio.SocketStream, head: bytes) -> bytes:
        """Serve a connection from a head on; return the head that is for the other."""
        line, *headers = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        fields = [_split_field(header) for header in headers]
        target = line.partition(b" ")[2]
        if target.startswith(inspector.PATH.encode()):
            await self._page(Received(stream, head))
            return b""
        if host := self._guard.refuses_host(fields):
            await self._refuse(stream, line, host)
            return b""
        try:
            may_pass = await self._microvm.admit()
        except SetupError:
            may_pass = False
        if not may_pass:
            await _refuse_connection(stream, 502)
            return b""
        return await self._relay(stream, head)

    async def _refuse(self, stream: trio.SocketStream, line: bytes, host: str) -> None:
        title = line.decode("latin-1").rpartition(" ")[0]
        why = f"Host {host!r} is not of this machine: allow it with {OPTION}"
        self._microvm.rows.refuse(title, Response(403, b"", [], b""), why)
        await _refuse_connection(stream, 403)

    async def _relay(self, stream: trio.SocketStream, head: bytes) -> bytes:
        """Forward bytes both ways; return what the client sends for the page."""
        asked: bytes | None = None
        async with self._microvm.passing(stream):
            try:
                app = await _connect_to_app(self._microvm.options.config.app_address)
            except OSError:
                await _refuse_connection(stream, 502)
                return b""
            async with app, trio.open_nursery() as nursery:
                nursery.start_soon(_send_back, app, stream, nursery.cancel_scope)
                asked = await self._send_on(stream, app, head)
                if asked != b"":
                    nursery.cancel_scope.cancel()
        return asked or b""

    async def _send_on(
        self, stream: trio.SocketStream, app: trio.SocketStream, data: bytes
    ) -> bytes | None:
        """Forward what a client sends; return what it sends for the page, or its end.

        None is the end of the connection, "" that of what the client sends.
        """
        try:
            while data:
                if self._asks_page.match(data):
                    return data
                await app.send_all(data)
                data = bytes(await stream.receive_some(CHUNK))
            await app.send_eof()
        except BROKEN:
            return None
        return data


async def _send_back(
    app: trio.SocketStream, stream: trio.SocketStream, scope: trio.CancelScope
) -> None:
    """Forward what the application sends to its end, then end the connection."""
    with contextlib.suppress(*BROKEN):  # one is gone, and so is the other's use
        while data := await app.receive_some(CHUNK):
            await stream.send_all(data)
    scope.cancel()


async def _connect_to_app(address: Address) -> trio.SocketStream:
    if isinstance(address, tuple):
        return await trio.open_tcp_stream(*address)
    return await trio.open_unix_socket(address)


async def _read_head(stream: trio.SocketStream) -> bytes:
    """Return a client's first bytes: a whole head, or as many as one may have."""
    received = b""
    while b"\r\n\r\n" not in received and len(received) < MAX_HEAD:
        data = await stream.receive_some(CHUNK)
        if not data:
            return received
        received += data
    return received


def _split_field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value


async def _refuse_connection(stream: trio.SocketStream, status: int) -> None:
    await stream.send_all(
        f"HTTP/1.1 {status} {STATUS[status]}\r\n"
        "content-length: 0\r\nconnection: close\r\n\r\n".encode()
    )


def closing(page: ASGIApp) -> ASGIApp:
    """Close the connection after each response of the page: the next is for either."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        lower = [(name.lower(), value) for name, value in scope["headers"]]
        await page({**scope, "headers": lower}, receive, send_closing)

    return serve
