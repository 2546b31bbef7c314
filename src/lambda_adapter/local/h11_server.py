"""Serve HTTP/1.1 over a socket, with h11.

The Runtime API needs what ASGI can't express: the trailers of a request, which carry
the error of a stream that broke off.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import h11
import trio

MAX_HEAD = 65_536
"""Largest head of a request, in bytes."""

CHUNK = 65_536
"""Bytes per ``recv``."""

_BROKEN = (
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    h11.RemoteProtocolError,
)


class H11Exchange:
    """A request, with methods to read it and to respond."""

    def __init__(
        self, connection: h11.Connection, stream: trio.SocketStream, head: h11.Request
    ) -> None:
        self._connection = connection
        self._stream = stream
        self.method = head.method.decode()
        self.target = head.target.decode()
        self.fields = {k.decode(): v.decode("latin-1") for k, v in head.headers}
        self.trailers: dict[str, str] = {}
        """Complete once the body has been read to its end."""

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives.

        Raises:
            RemoteProtocolError: it broke off.
        """
        while True:
            event = await _next_event(self._connection, self._stream)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.trailers = {
                    k.decode(): v.decode("latin-1") for k, v in event.headers
                }
                return
            else:
                raise h11.RemoteProtocolError("the connection closed within a body")

    async def body(self, limit: int) -> bytes | None:
        """Return the body, or None if it has more bytes than the limit."""
        kept: list[bytes] = []
        size = 0
        async with aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                size += len(piece)
                kept.append(piece)
                if size > limit:
                    kept.clear()
        return b"".join(kept) if size <= limit else None

    async def respond(
        self, status: int, body: bytes = b"", fields: dict[str, str] | None = None
    ) -> None:
        """Send a complete response."""
        head = h11.Response(
            status_code=status,
            headers=[
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                *(fields or {}).items(),
            ],
        )
        parts = (head, h11.Data(data=body), h11.EndOfMessage())
        sent = [self._connection.send(part) or b"" for part in parts]
        await self._stream.send_all(b"".join(sent))


async def serve(
    stream: trio.SocketStream, respond: Callable[[H11Exchange], Awaitable[None]]
) -> None:
    """Serve the requests of one connection until its client closes it."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    async with stream:
        try:
            while True:
                head = await _next_event(connection, stream)
                if not isinstance(head, h11.Request):
                    return
                await respond(H11Exchange(connection, stream, head))
                if connection.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                    return
                connection.start_next_cycle()
        except _BROKEN:
            return


async def _next_event(
    connection: h11.Connection, stream: trio.SocketStream
) -> h11.Event:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                await stream.send_all(connection.send(go_on) or b"")
            connection.receive_data(await stream.receive_some(CHUNK))
        elif isinstance(event, h11.Event):
            return event
        else:
            raise h11.RemoteProtocolError("a request before the response to the last")
