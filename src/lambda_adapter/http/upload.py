"""A request whose body comes piece by piece, while its response is looked out for.

Shell.
"""

import contextlib
from collections.abc import AsyncIterable

import trio

from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.http1 import ResponseParser
from lambda_adapter.http.messages import Response
from lambda_adapter.http.peer_error import PeerError

UPLOAD_TIMEOUT = 30.0
"""Seconds for a piece to be taken, and for the response after the last one."""


async def upload(
    connection: Connection,
    request: EncodedRequest,
    pieces: AsyncIterable[bytes],
    max_body: int,
) -> Response:
    """Send a request's head, then the pieces as they come, and return its response.

    The pieces are framed already. No more are waited for once the peer has responded
    or hung up.

    Raises:
        PeerError: the peer is gone, or does not speak HTTP/1.1.
    """
    parser = ResponseParser(request.method, max_body)
    sent_all = False
    try:
        await connection.send(parser, _deadline(), request.head)
        with contextlib.suppress(PeerError):  # what the peer says of it is read next
            sent_all = await _send_pieces(connection, parser, pieces)
        return await connection.finish(parser, _deadline(), sent_all=sent_all)
    except trio.TooSlowError:
        message = f"no response within {UPLOAD_TIMEOUT:g} s of the last piece"
        raise PeerError(message, answered=parser.answered) from None


async def _send_pieces(
    connection: Connection, parser: ResponseParser, pieces: AsyncIterable[bytes]
) -> bool:
    """Return whether all were sent."""
    sent_all = False
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_response, connection, nursery.cancel_scope)
            sent_all = await _send_each(connection, parser, pieces)
            nursery.cancel_scope.cancel()
    except ExceptionGroup as group:  # of one: the pieces'
        raise group.exceptions[0] from None
    return sent_all


async def _send_each(
    connection: Connection, parser: ResponseParser, pieces: AsyncIterable[bytes]
) -> bool:
    async for piece in pieces:
        try:
            if not await connection.send(parser, _deadline(), piece):
                return False
        except trio.TooSlowError:
            return False
    return True


async def _cancel_on_response(connection: Connection, scope: trio.CancelScope) -> None:
    await connection.wire.wait_readable()
    scope.cancel()


def _deadline() -> float:
    return trio.current_time() + UPLOAD_TIMEOUT
