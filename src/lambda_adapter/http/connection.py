"""One HTTP/1.1 connection over trio: a request goes out, a response comes in.

Both clients use it, towards Lambda and towards the application. It reads with plain
non-blocking sockets and waits with ``trio.lowlevel``: measured, that takes 15 % off an
invocation against ``trio.socket``. Shell.
"""

import select
import socket
from collections.abc import AsyncGenerator, AsyncIterable

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.http1 import ResponseParser, encode_head
from lambda_adapter.http.messages import Request, Response

RECEIVE_SIZE = 65_536
"""Bytes asked for at once. Twice and four times as much gain nothing (measured)."""

EAGER_RECEIVES = 16
"""Pieces that are taken in a row without giving anybody else a turn. A turn takes as
long as a tenth of an invocation (measured), and most answers are one piece."""

ANSWER_LIMIT = 30.0
"""Seconds for a piece of an upload to be taken, and for the answer after its end."""

EARLY_ANSWER_CHECK = 0.02
"""Seconds between two looks for an answer while the peer does not take the request."""


class Connection:
    """A connected socket that speaks HTTP/1.1, one exchange at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.exchanges = 0
        """How many responses it has brought."""
        self.reusable = True
        self._eager_receives = 0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    async def exchange(self, request: Request, max_body: int) -> Response:
        """Send a request and return its response, read to the end.

        After an error, or unless ``reusable``, the connection is of no more use.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1.
        """
        parser = ResponseParser(request.method, max_body)
        self.reusable = False
        try:
            sent_all = await self._send(parser, encode_head(request), request.body)
            while not parser.complete:
                parser.feed(await self._receive())
        except OSError as error:
            raise _broken(error, parser) from error
        self._end_exchange(parser, sent_all=sent_all)
        return parser.response(parser.take_body())

    async def exchange_head(
        self, request: Request
    ) -> tuple[Response, AsyncGenerator[bytes, None]]:
        """Send a request, and return the head of its response and its body to come.

        The body is to be closed. Read to its end, it ends the exchange.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1. So may the body.
        """
        parser = ResponseParser(request.method)
        self.reusable = False
        try:
            sent_all = await self._send(parser, encode_head(request), request.body)
            while not parser.status:
                parser.feed(await self._receive())
        except OSError as error:
            raise _broken(error, parser) from error
        return parser.response(b""), self._body(parser, sent_all=sent_all)

    async def upload(
        self, request: Request, pieces: AsyncIterable[bytes], max_body: int
    ) -> Response:
        """Send a request's head, then the pieces as they come, and return its response.

        The pieces are framed already. No more are waited for once the peer has answered
        or hung up.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1.
        """
        parser = ResponseParser(request.method, max_body)
        sent_all = False
        self.reusable = False
        try:
            await self._send(parser, encode_head(request))
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._cancel_on_answer, nursery.cancel_scope)
                    sent_all = await self._send_pieces(parser, pieces)
                    nursery.cancel_scope.cancel()
            except ExceptionGroup as group:  # of one: the pieces'
                raise group.exceptions[0] from None
            with trio.move_on_after(ANSWER_LIMIT):
                while not parser.complete:
                    parser.feed(await self._receive())
        except OSError as error:
            raise _broken(error, parser) from error
        if not parser.complete:
            message = f"no answer within {ANSWER_LIMIT:g} s of the last piece"
            raise PeerError(message, answered=parser.answered)
        self._end_exchange(parser, sent_all=sent_all)
        return parser.response(parser.take_body())

    async def _send_pieces(
        self, parser: ResponseParser, pieces: AsyncIterable[bytes]
    ) -> bool:
        try:
            async for piece in pieces:
                sent = False
                with trio.move_on_after(ANSWER_LIMIT):
                    sent = await self._send(parser, piece)
                if not sent:
                    return False
        except (OSError, PeerError):  # what the peer says of it is read next
            return False
        return True

    async def _cancel_on_answer(self, scope: trio.CancelScope) -> None:
        await trio.lowlevel.wait_readable(self._socket)
        scope.cancel()

    async def _body(
        self, parser: ResponseParser, *, sent_all: bool
    ) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                if piece := parser.take_body():
                    yield piece
                if parser.complete:
                    break
                parser.feed(await self._receive())
        except OSError as error:
            raise _broken(error, parser) from error
        self._end_exchange(parser, sent_all=sent_all)

    def _end_exchange(self, parser: ResponseParser, *, sent_all: bool) -> None:
        self.exchanges += 1
        self.reusable = sent_all and parser.reusable

    def is_stale(self) -> bool:
        """Return whether an idle connection is dead: closed, or holding stray bytes."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close at once; closing twice does nothing."""
        if self._socket.fileno() != -1:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    async def _send(self, parser: ResponseParser, *parts: bytes) -> bool:
        """Send everything, unless the peer answers or hangs up before that.

        Returns whether all was sent. A peer that hangs up may have answered first
        (https://www.rfc-editor.org/rfc/rfc9112#section-9.5), so that is read next.
        """
        try:
            sent = self._socket.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            return False
        if sent == sum(map(len, parts)):
            return True
        return await self._send_rest(parser, b"".join(parts), sent)

    async def _send_rest(self, parser: ResponseParser, data: bytes, sent: int) -> bool:
        """Send what the system had no room for at once."""
        rest = memoryview(data)[sent:]
        while rest and not parser.status:
            try:
                sent = self._socket.send(rest)
            except BlockingIOError:
                if self.is_stale():
                    parser.feed(await self._receive())
                with trio.move_on_after(EARLY_ANSWER_CHECK):
                    await trio.lowlevel.wait_writable(self._socket)
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
            rest = rest[sent:]
        return not rest

    async def _receive(self) -> bytes:
        """Return the next bytes, ``b""`` at the end.

        It yields regularly, so that a peer that never stops sending cannot block
        timeouts, and before recv, so that cancellation never loses bytes.
        """
        self._eager_receives += 1
        if self._eager_receives > EAGER_RECEIVES:
            await trio.lowlevel.checkpoint()
            self._eager_receives = 0
        while True:
            try:
                return self._socket.recv(RECEIVE_SIZE)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._socket)
                self._eager_receives = 0


def _broken(error: OSError, parser: ResponseParser) -> PeerError:
    message = f"the connection broke: {error.strerror or error}"
    return PeerError(message, answered=parser.answered)
