"""A connection that exchanges requests and responses, and uploads streams.

An exchange usually takes two system calls: the whole request fits into the socket
buffer, the whole response comes in one piece, and ``read_fast`` reads it. What does
not go that way:

- The buffer is full before everything was sent. A peer may respond, or hang up, without
  reading the rest (https://www.rfc-editor.org/rfc/rfc9112#section-9.5), so bytes that
  arrive are read between two sends, and a peer that hung up is read to its end.
- The response comes in pieces, or is not plainly framed: ``ResponseParser`` reads it.
- The body is wanted piece by piece: ``exchange_head`` returns the head and a generator.

A connection knows whether it is ``reusable``. For how long, and which requests may be
repeated after it turned out to be dead, is decided by its owners, ``app.client`` and
``runtime.client``.
"""

import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterable

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.messages import Parts, Response
from lambda_adapter.http.parser import ResponseParser, read_fast
from lambda_adapter.http.wire import HUNG_UP, Wire

EARLY_RESPONSE_CHECK = 0.02
"""Seconds between two checks for an early response while the peer reads nothing."""


class Connection:
    """A wire that carries HTTP/1.1, one exchange at a time."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.exchanges = 0
        """How many responses it has received."""
        self.reusable = True

    async def exchange(
        self, request: EncodedRequest, max_body: int, deadline: float = math.inf
    ) -> Response:
        """Send a request and return its response, read to the end.

        Close the connection after an error, or if it is not ``reusable`` afterwards.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        self.reusable = False
        try:
            sent, data = await self.wire.exchange(
                request.head, request.body, deadline=deadline
            )
        except OSError as error:
            raise _broken(error, answered=False) from error
        # A response to HEAD has the length of a body that does not follow, which
        # ``read_fast`` could only take for an incomplete one.
        if data and request.method != b"HEAD" and (whole := read_fast(data, max_body)):
            # ``read_fast`` declines what would not leave the connection reusable.
            self.exchanges += 1
            self.reusable = True
            return whole
        # The fast path has declined. Only now is a parser made, since most responses
        # arrive whole and plainly framed.
        parser = ResponseParser(request.method, max_body)
        sent_all = data is not None
        if data is not None:
            parser.feed(data)
        elif sent != HUNG_UP:
            rest = _unsent((request.head, request.body), sent)
            sent_all = await self._send_or_hang_up(parser, rest, deadline)
        return await self.finish(parser, deadline, sent_all=sent_all)

    async def exchange_head(
        self, request: EncodedRequest, deadline: float = math.inf
    ) -> tuple[Response, AsyncGenerator[Parts, None]]:
        """Send a request; return the head of the response, and its body as a generator.

        Close the generator, unless it is read to its end, which ends the exchange. It
        raises the same errors.

        Raises:
            PeerError: the peer is gone, or does not speak HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        parser = ResponseParser(request.method)
        sent_all = await self.send(parser, deadline, request.head, request.body)
        while not parser.status:
            parser.feed(await self._receive(parser, deadline))
        return parser.response(b""), self._body(parser, deadline, sent_all=sent_all)

    async def finish(
        self, parser: ResponseParser, deadline: float, *, sent_all: bool
    ) -> Response:
        """Read the rest of a response, and return all of it."""
        while not parser.complete:
            parser.feed(await self._receive(parser, deadline))
        self._end_exchange(parser, sent_all=sent_all)
        return parser.response(parser.take_body())

    async def _body(
        self, parser: ResponseParser, deadline: float, *, sent_all: bool
    ) -> AsyncGenerator[Parts, None]:
        while True:
            if piece := parser.take_parts():
                yield piece
            if parser.complete:
                break
            parser.feed(await self._receive(parser, deadline))
        self._end_exchange(parser, sent_all=sent_all)

    async def _receive(self, parser: ResponseParser, deadline: float) -> bytes:
        try:
            return await self.wire.receive(deadline)
        except OSError as error:
            raise _broken(error, answered=parser.answered) from error

    def _end_exchange(self, parser: ResponseParser, *, sent_all: bool) -> None:
        self.exchanges += 1
        self.reusable = sent_all and parser.reusable

    async def send(
        self, parser: ResponseParser, deadline: float, *parts: bytes | memoryview
    ) -> bool:
        """Send everything, by one system call if the socket buffer has room for it.

        Stop if the peer responds or hangs up first.

        Return whether everything was sent. A peer that hangs up may have responded
        before (https://www.rfc-editor.org/rfc/rfc9112#section-9.5), so the caller reads
        next.
        """
        self.reusable = False
        return await self._send_or_hang_up(parser, parts, deadline)

    async def _send_or_hang_up(
        self, parser: ResponseParser, rest: Parts, deadline: float
    ) -> bool:
        try:
            return await self._send_rest(parser, rest, deadline)
        except (BrokenPipeError, ConnectionResetError):
            # No error yet: the peer may have responded before it hung up, for example
            # with a 413, which is what its client has to see:
            # https://www.rfc-editor.org/rfc/rfc9112#section-9.5
            return False
        except OSError as error:
            raise _broken(error, answered=parser.answered) from error

    async def _send_rest(
        self, parser: ResponseParser, rest: Parts, deadline: float
    ) -> bool:
        """Send what did not fit into the socket buffer."""
        while rest and not parser.status:
            if sent := self.wire.send(*rest):
                rest = _unsent(rest, sent)
                continue
            # A peer that responds without reading the rest stops reading for good. trio
            # has no wait for "readable or writable", so this looks every 20 ms.
            if self.wire.is_readable():
                parser.feed(await self._receive(parser, deadline))
            now = trio.current_time()
            if now >= deadline:
                raise trio.TooSlowError
            await self.wire.wait_writable(min(deadline, now + EARLY_RESPONSE_CHECK))
        return not rest

    def is_stale(self) -> bool:
        """Return whether an idle connection is closed, or has unsolicited bytes."""
        return self.wire.is_readable()

    def close(self) -> None:
        """Close immediately; closing twice does nothing."""
        self.wire.close()


def _unsent(parts: Parts, sent: int) -> Parts:
    """Return what is left of some parts after so many of their bytes were sent."""
    for index, part in enumerate(parts):
        if sent < len(part):
            return [memoryview(part)[sent:], *parts[index + 1 :]]
        sent -= len(part)
    return ()


def _broken(error: OSError, *, answered: bool) -> PeerError:
    message = f"the connection broke: {error.strerror or error}"
    return PeerError(message, answered=answered)


UPLOAD_TIMEOUT = 30.0
"""Seconds that the peer has to read a piece, and to respond after the last one."""


async def upload(
    connection: Connection,
    request: EncodedRequest,
    pieces: AsyncIterable[Parts],
    max_body: int,
) -> Response:
    """Send a request's head, then the pieces as they arrive; return the response.

    The pieces are already framed, each in parts that are sent together. Stop early if
    the peer responds or hangs up.

    Raises:
        PeerError: the peer is gone, or does not speak HTTP/1.1.
    """
    parser = ResponseParser(request.method, max_body)
    sent_all = False
    try:
        await connection.send(parser, _deadline(), request.head)
        # The peer may have said why before it closed: ``finish`` reads it, or fails
        # itself.
        with contextlib.suppress(PeerError):
            sent_all = await _send_pieces(connection, parser, pieces)
        return await connection.finish(parser, _deadline(), sent_all=sent_all)
    except trio.TooSlowError:
        message = f"no response within {UPLOAD_TIMEOUT:g} s of the last piece"
        raise PeerError(message, answered=parser.answered) from None


async def _send_pieces(
    connection: Connection,
    parser: ResponseParser,
    pieces: AsyncIterable[Parts],
) -> bool:
    """Send the pieces until the peer responds; return whether all were sent."""
    sent_all = False
    try:
        async with trio.open_nursery() as nursery:
            # The pieces may be minutes apart. If Lambda hangs up meanwhile, the
            # application must not go on producing them.
            nursery.start_soon(_cancel_on_response, connection, nursery.cancel_scope)
            sent_all = await _send_each(connection, parser, pieces)
            nursery.cancel_scope.cancel()
    except ExceptionGroup as group:  # only the pieces can raise, so it has one error
        raise group.exceptions[0] from None
    return sent_all


async def _send_each(
    connection: Connection,
    parser: ResponseParser,
    pieces: AsyncIterable[Parts],
) -> bool:
    async for piece in pieces:
        try:
            if not await connection.send(parser, _deadline(), *piece):
                return False
        except trio.TooSlowError:
            return False
    return True


async def _cancel_on_response(connection: Connection, scope: trio.CancelScope) -> None:
    await connection.wire.wait_readable()
    scope.cancel()


def _deadline() -> float:
    return trio.current_time() + UPLOAD_TIMEOUT
