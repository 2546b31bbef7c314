"""Streamed replies: a prelude, then a body, piece by piece. Shell.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import contextlib

import h11
import trio

from lambda_adapter.local.failure_reports import failure_in_trailers
from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.local.wire import Exchange
from lambda_adapter.runtime.api import DELIMITER

MAX_PRELUDE = 16_384
"""Bytes of a stream within which the prelude has to end:
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html"""


async def take_stream(exchange: Exchange, invocation: Invocation) -> None:
    """Pass a stream on, piece by piece, as fast as its reader takes the pieces.

    The reader is told of a failure before it sees the end.
    """
    sending, receiving = trio.open_memory_channel[bytes](0)
    async with sending:
        try:
            head = await _pieces(exchange, invocation, sending, receiving)
        except h11.RemoteProtocolError as error:
            invocation.fail(Failure("Runtime.TruncatedResponse", str(error)))
            raise
        if failure := failure_in_trailers(exchange):
            invocation.fail(failure)
        if not invocation.replied.is_set():
            invocation.begin(head, receiving)


async def _pieces(
    exchange: Exchange,
    invocation: Invocation,
    sending: trio.MemorySendChannel[bytes],
    receiving: trio.MemoryReceiveChannel[bytes],
) -> bytes:
    """Begin the stream once its prelude is there; return what came if it never is."""
    head = b""
    async with contextlib.aclosing(exchange.pieces()) as pieces:
        async for piece in pieces:
            if invocation.replied.is_set():
                await _pass_on(sending, piece)
                continue
            head += piece
            prelude, delimiter, rest = head.partition(DELIMITER)
            if delimiter:
                invocation.begin(prelude, receiving)
            elif len(head) > MAX_PRELUDE:
                invocation.begin(b"", receiving)
                rest = prelude
            else:
                continue
            if rest:
                await _pass_on(sending, rest)
    return head


async def _pass_on(sending: trio.MemorySendChannel[bytes], piece: bytes) -> None:
    # Where its client is gone, Lambda still reads the stream to its end.
    with contextlib.suppress(trio.BrokenResourceError):
        await sending.send(piece)
