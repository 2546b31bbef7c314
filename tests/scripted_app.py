"""A web application in this process that responds as its script says, down to the byte.

It stands where the test has to see or to time what the application's end of the wire
does; where a process of its own matters, there is ``programs/puppet.py``.
"""

import contextlib
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Answer:
    """Raw bytes, and what becomes of the connection then.

    ``keep`` waits for the next request, ``close`` hangs up, ``reset`` does so rudely,
    ``hold`` leaves it open and does nothing more, and ``more`` goes on with the next
    response as soon as there is one, without another request.
    """

    raw: bytes
    then: str = "close"


def said(status: int = 200, body: bytes = b"", fields: bytes = b"") -> Answer:
    """Return a whole response, after which the connection stays open."""
    head = b"HTTP/1.1 %d Whatever\r\n%scontent-length: %d\r\n\r\n"
    return Answer(head % (status, fields, len(body)) + body, "keep")


FAULTS = {
    "closed": Answer(b""),
    "reset": Answer(b"", "reset"),
    "garbage": Answer(b"220 smtp.example.com ESMTP\r\n"),
    "TLS": Answer(b"\x15\x03\x01\0\x02\x02\x16"),
    "half a head": Answer(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "half a body": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
    "half a body, reset": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "reset"
    ),
    "half a chunk": Answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf"
    ),
    "no last chunk": Answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    ),
    "a bad chunk": Answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nhalf\r\n"
    ),
    "another coding": Answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
        b"4\r\nhalf\r\n0\r\n\r\n"
    ),
    "two lengths": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nhalfx"
    ),
    "a huge head": Answer(
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000 + b"\r\ncontent-length: 0\r\n\r\n"
    ),
    "no final answer": Answer(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a protocol switch": Answer(
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
        b"upgrade: websocket\r\n\r\n"
    ),
    "no HTTP status": Answer(b"HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n"),
}
"""What no request may be answered with."""


@dataclass(frozen=True)
class Received:
    """A request that reached the application."""

    head: bytes
    body: bytes
    connection: int

    @property
    def line(self) -> bytes:
        return self.head.partition(b"\r\n")[0]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        lines = self.head.rstrip(b"\r\n").split(b"\r\n")[1:]
        pairs = (line.partition(b": ") for line in lines)
        return [(name.lower(), value) for name, _, value in pairs]

    def values(self, name: bytes) -> list[bytes]:
        return [value for each, value in self.fields if each == name]


@dataclass
class ScriptedApp:
    """What an application saw, and what it says next: ``OK`` when nothing is left."""

    port: int = 0
    answers: deque[Answer] = field(default_factory=deque)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    news: trio.Condition = field(default_factory=trio.Condition)

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open_connections += 1
        number = self.connections
        try:
            async with stream:
                while (request := await receive(stream, number)) is not None:
                    self.requests.append(request)
                    await self._notify()
                    answer = self.answers.popleft() if self.answers else _KEEP_OK
                    await stream.send_all(answer.raw)
                    while answer.then == "more":
                        answer = await self._following(stream)
                        await stream.send_all(answer.raw)
                    if answer.then == "hold":
                        await _wait_gone(stream)
                    if answer.then == "reset":
                        reset(stream)
                    if answer.then != "keep":
                        return
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.open_connections -= 1
            with trio.CancelScope(shield=True):
                await self._notify()

    async def say(self, raw: bytes, then: str = "more") -> None:
        """Go on with a response that has said that there is more."""
        self.answers.append(Answer(raw, then))
        await self._notify()

    async def _following(self, stream: trio.SocketStream) -> Answer:
        """Wait for the next response, but not for longer than the peer does."""
        following = Answer(b"")
        async with trio.open_nursery() as nursery:

            async def cancel_when_gone() -> None:
                with contextlib.suppress(trio.BrokenResourceError):
                    await _wait_gone(stream)
                nursery.cancel_scope.cancel()

            nursery.start_soon(cancel_when_gone)
            async with self.news:
                while not self.answers:
                    await self.news.wait()
            following = self.answers.popleft()
            nursery.cancel_scope.cancel()
        return following

    async def wait_requests(self, number: int) -> None:
        """Wait until so many requests have come."""
        await self.wait(lambda: len(self.requests) >= number)

    async def wait_all_closed(self) -> None:
        """Wait until no connection is open."""
        await self.wait(lambda: self.open_connections == 0)

    async def wait(self, condition: Callable[[], bool]) -> None:
        with trio.fail_after(10):
            async with self.news:
                while not condition():
                    await self.news.wait()

    async def _notify(self) -> None:
        async with self.news:
            self.news.notify_all()


_KEEP_OK = Answer(OK, "keep")


async def receive(stream: trio.SocketStream, connection: int = 0) -> Received | None:
    """Read a request with its body; None if the peer hangs up before one."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = await stream.receive_some()
        if not data:
            return None
        head += data
    head, end, body = head.partition(b"\r\n\r\n")
    received = Received(head + end, body, connection)
    (length,) = received.values(b"content-length") or [b"0"]
    pieces = [body]
    missing = int(length) - len(body)
    while missing > 0:
        data = await stream.receive_some()
        if not data:
            return None
        pieces.append(data)
        missing -= len(data)
    return Received(received.head, b"".join(pieces), connection)


def reset(stream: trio.SocketStream) -> None:
    """Close a connection with a reset instead of an end."""
    linger = struct.pack("ii", 1, 0)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    stream.socket.close()


async def _wait_gone(stream: trio.SocketStream) -> None:
    while await stream.receive_some():
        pass


@asynccontextmanager
async def open_server(
    serve: Callable[[trio.SocketStream], Awaitable[object]], port: int = 0
) -> AsyncIterator[int]:
    """Serve each connection with ``serve``, and give the port."""
    listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        number = listeners[0].socket.getsockname()[1]
        assert isinstance(number, int)
        yield number
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_unix_server(
    serve: Callable[[trio.SocketStream], Awaitable[object]], path: str
) -> AsyncIterator[None]:
    """Serve each connection to a Unix socket with ``serve``."""
    with trio.socket.socket(socket.AF_UNIX) as listening:
        await listening.bind(path)
        listening.listen()
        async with trio.open_nursery() as nursery:
            listeners = [trio.SocketListener(listening)]
            nursery.start_soon(trio.serve_listeners, serve, listeners)
            yield
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_app(*answers: Answer, port: int = 0) -> AsyncIterator[ScriptedApp]:
    """Serve an application that gives these responses, one a request."""
    app = ScriptedApp(answers=deque(answers))
    async with open_server(app.serve, port) as app.port:
        yield app
