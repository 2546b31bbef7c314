"""One HTTP/1.1 connection over trio: a request goes out, a response comes in.

Both clients use it, towards Lambda and towards the application. It reads with plain
sockets and waits with ``trio.lowlevel``: measured, that takes 15 % off an invocation
against ``trio.socket``. Shell.
"""

import math
import select
import socket
from collections.abc import AsyncGenerator
from socket import MSG_DONTWAIT

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.http1 import ResponseParser, encode_head
from lambda_adapter.http.messages import Request, Response

RECEIVE_SIZE = 65_536
"""Bytes asked for at once. Twice and four times as much gain nothing (measured)."""

EAGER_RECEIVES = 16
"""Pieces that are taken in a row without giving anybody else a turn. A turn takes as
long as a tenth of an invocation (measured), and most responses are one piece."""

EARLY_RESPONSE_CHECK = 0.02
"""Seconds between two looks for a response while the peer does not take the request."""


class Connection:
    """A connected socket that speaks HTTP/1.1, one exchange at a time.

    Deadlines are by trio's clock. They are values, for a cancel scope costs more than
    all that is done within it (measured): one is entered only to wait.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.exchanges = 0
        """How many responses it has brought."""
        self.reusable = True
        self._eager_receives = 0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    async def exchange(
        self, request: Request, max_body: int, deadline: float = math.inf
    ) -> Response:
        """Send a request and return its response, read to the end.

        After an error, or unless ``reusable``, the connection is of no more use.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        parser = ResponseParser(request.method, max_body)
        sent_all = await self._begin(request, parser, deadline)
        return await self.finish(parser, deadline, sent_all=sent_all)

    async def exchange_head(
        self, request: Request, deadline: float = math.inf
    ) -> tuple[Response, AsyncGenerator[bytes, None]]:
        """Send a request, and return the head of its response and its body to come.

        The body is to be closed. Read to its end, it ends the exchange.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1. So may the body.
            TooSlowError: the deadline passed. So may the body.
        """
        parser = ResponseParser(request.method)
        sent_all = await self._begin(request, parser, deadline)
        while not parser.status:
            await self._feed(parser, deadline)
        return parser.response(b""), self._body(parser, deadline, sent_all=sent_all)

    async def finish(
        self, parser: ResponseParser, deadline: float, *, sent_all: bool
    ) -> Response:
        """Read the rest of a response, and return it."""
        while not parser.complete:
            await self._feed(parser, deadline)
        self._end_exchange(parser, sent_all=sent_all)
        return parser.response(parser.take_body())

    async def _body(
        self, parser: ResponseParser, deadline: float, *, sent_all: bool
    ) -> AsyncGenerator[bytes, None]:
        while True:
            if piece := parser.take_body():
                yield piece
            if parser.complete:
                break
            await self._feed(parser, deadline)
        self._end_exchange(parser, sent_all=sent_all)

    async def _begin(
        self, request: Request, parser: ResponseParser, deadline: float
    ) -> bool:
        self.reusable = False
        return await self.send(parser, deadline, encode_head(request), request.body)

    def _end_exchange(self, parser: ResponseParser, *, sent_all: bool) -> None:
        self.exchanges += 1
        self.reusable = sent_all and parser.reusable

    def is_stale(self) -> bool:
        """Return whether an idle connection is dead: closed, or holding stray bytes."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close at once; closing twice does nothing."""
        if self.socket.fileno() != -1:
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()

    async def send(
        self, parser: ResponseParser, deadline: float, *parts: bytes
    ) -> bool:
        """Send everything, unless the peer responds or hangs up before that.

        Returns whether all was sent. A peer that hangs up may have responded first
        (https://www.rfc-editor.org/rfc/rfc9112#section-9.5), so that is read next.
        """
        try:
            sent = self.socket.sendmsg(parts, (), MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            return False
        except OSError as error:
            raise _broken(error, parser) from error
        if sent == sum(map(len, parts)):
            return True
        return await self._send_rest(parser, b"".join(parts)[sent:], deadline)

    async def _send_rest(
        self, parser: ResponseParser, data: bytes, deadline: float
    ) -> bool:
        """Send what the system had no room for at once."""
        rest = memoryview(data)
        while rest and not parser.status:
            try:
                sent = self.socket.send(rest, MSG_DONTWAIT)
            except BlockingIOError:
                if self.is_stale():
                    await self._feed(parser, deadline)
                with trio.move_on_at(
                    min(deadline, trio.current_time() + EARLY_RESPONSE_CHECK)
                ):
                    await trio.lowlevel.wait_writable(self.socket)
                _check(deadline)
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
            except OSError as error:
                raise _broken(error, parser) from error
            rest = rest[sent:]
        return not rest

    async def _feed(self, parser: ResponseParser, deadline: float) -> None:
        """Feed a parser with the next bytes.

        It yields regularly, so that a peer that never stops sending can't block
        anything else, and before recv, so that cancellation never loses bytes.
        """
        self._eager_receives += 1
        if self._eager_receives > EAGER_RECEIVES:
            await trio.lowlevel.checkpoint()
            self._eager_receives = 0
            _check(deadline)
        while True:
            try:
                data = self.socket.recv(RECEIVE_SIZE, MSG_DONTWAIT)
            except BlockingIOError:
                await self._wait_readable(deadline)
                self._eager_receives = 0
            except OSError as error:
                raise _broken(error, parser) from error
            else:
                parser.feed(data)
                return

    async def _wait_readable(self, deadline: float) -> None:
        if deadline == math.inf:
            await trio.lowlevel.wait_readable(self.socket)
        else:
            with trio.fail_at(deadline):
                await trio.lowlevel.wait_readable(self.socket)


def _check(deadline: float) -> None:
    if trio.current_time() >= deadline:
        raise trio.TooSlowError


def _broken(error: OSError, parser: ResponseParser) -> PeerError:
    message = f"the connection broke: {error.strerror or error}"
    return PeerError(message, answered=parser.answered)
