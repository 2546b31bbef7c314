"""Serve HTTP with hypercorn, so that a faulty connection does not end the others.

hypercorn's own ``serve`` runs all connections in one nursery, where a fault in one of
them, such as a malformed path in HTTP/2, ends them all. HTTP/2 is refused: it makes no
difference to an event, and a client that assumes it gets an error.
"""

import re
from collections.abc import Awaitable, Callable

import trio
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ConnectionState
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

MAX_HEAD = 65_536
"""Largest head of a request, in bytes."""

PREFACE = b"PRI * HTTP/2.0"
"""https://www.rfc-editor.org/rfc/rfc9113#section-3.4"""

NOT_SUPPORTED = (
    b"HTTP/1.1 505 HTTP Version Not Supported\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)

_MALFORMED = re.compile(
    rb"HTTP/1\.1 (\d+) [^\r]*\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    re.IGNORECASE,
)
"""What hypercorn sends if it can't parse a request; no gateway sends that."""

Refused = Callable[[int, str], None]
"""Called with the status and the reason if a connection is refused."""


class Received:
    """A connection of which the first bytes were read before."""

    def __init__(self, stream: trio.SocketStream, received: bytes) -> None:
        self._stream = stream
        self._received = received
        self.socket = stream.socket
        self.send_all, self.send_eof = stream.send_all, stream.send_eof
        self.aclose = stream.aclose

    async def receive_some(self, size: int) -> bytes:
        """Return what was read before, and then what comes."""
        if received := self._received:
            self._received = b""
            return received
        return bytes(await self._stream.receive_some(size))


Stream = trio.SocketStream | Received

Handle = Callable[[Stream], Awaitable[None]]
"""Serves a connection until its end."""


MALFORMED = "a malformed request, or too long a head"
HALF_UPGRADE = (
    "a WebSocket, without Sec-WebSocket-Key or -Version; no gateway here accepts one"
)


class HypercornConnection:
    """A client's connection, as far as hypercorn needs it; reports refusals."""

    def __init__(self, stream: Stream, refused: Refused) -> None:
        self._stream = stream
        self.refused = refused
        self._is_fresh = True
        self._last = b""
        self.socket = stream.socket

    async def receive_some(self, size: int) -> bytes:
        """Return the next bytes; end the connection if it speaks HTTP/2."""
        data = bytes(await self._stream.receive_some(size))
        if self._is_fresh and data.startswith(PREFACE):
            await self._stream.send_all(NOT_SUPPORTED)
            self.refused(505, "HTTP/2 without TLS: no gateway here speaks it")
            return b""
        self._is_fresh = False
        self._last = data
        return data

    async def send_all(self, data: bytes) -> None:
        """Send a piece of a response."""
        if found := _MALFORMED.fullmatch(data):
            is_upgrade = b"upgrade: websocket" in self._last.lower()
            self.refused(int(found[1]), HALF_UPGRADE if is_upgrade else MALFORMED)
        await self._stream.send_all(data)

    async def send_eof(self) -> None:
        """Close the sending side."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()


async def serve(app: ASGIApp, listener: trio.SocketListener, refused: Refused) -> None:
    """Serve connections until cancelled."""
    handle = handler(app, refused)

    async def handle_socket(stream: trio.SocketStream) -> None:
        await handle(stream)

    await trio.serve_listeners(handle_socket, [listener])


def handler(app: ASGIApp, refused: Refused) -> Handle:
    """Return what serves an application to a connection."""
    # Starlette and hypercorn type ASGI differently.
    wrapped = wrap_app(app, 0, "asgi")  # type: ignore[arg-type]
    config, context = _hypercorn_config(), WorkerContext(None)

    async def handle(stream: Stream) -> None:
        await _handle(wrapped, config, context, HypercornConnection(stream, refused))

    return handle


async def _handle(
    app: AppWrapper,
    config: Config,
    context: WorkerContext,
    connection: HypercornConnection,
) -> None:
    state = ConnectionState({})
    try:
        # A HypercornConnection has what hypercorn uses of a stream.
        await TCPServer(app, config, context, state, connection)  # type: ignore[arg-type]
    except Exception as error:  # whatever it is, it concerns this connection alone
        connection.refused(400, f"the connection failed: {_describe_failure(error)}")
        await trio.aclose_forcefully(connection)  # type: ignore[arg-type]


def _describe_failure(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _hypercorn_config() -> Config:
    """Return hypercorn's configuration: headers unchanged, and none added."""
    config = Config()
    config.h11_pass_raw_headers = True
    config.h11_max_incomplete_size = MAX_HEAD
    config.include_date_header = config.include_server_header = False
    config.loglevel = "CRITICAL"
    config.accesslog = None
    return config
