"""The pieces of a streamed reply, framed as chunks. Shell: it logs."""

import binascii
from collections.abc import AsyncGenerator

from lambda_adapter.errors import AdapterError, InvocationError
from lambda_adapter.http.encoding import LAST_CHUNK, encode_chunk, encode_last_chunk
from lambda_adapter.http.messages import Fields, Stream
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.api import DELIMITER
from lambda_adapter.runtime.requests import encode_error


async def frame(prelude: bytes, body: bytes | Stream) -> AsyncGenerator[bytes, None]:
    """Frame a reply: its prelude and the delimiter, the pieces, and how it ended."""
    yield encode_chunk(prelude + DELIMITER)
    try:
        if not isinstance(body, bytes):
            async for piece in body:
                yield encode_chunk(piece)
        elif body:
            yield encode_chunk(body)
    except InvocationError as error:
        log.error("%s: the stream broke off: %s", error.error_type, error)
        yield encode_last_chunk(error_trailers(error))
    else:
        yield LAST_CHUNK


def error_trailers(error: AdapterError) -> Fields:
    """Report that a stream broke off: the client has had its status already."""
    body = binascii.b2a_base64(encode_error(error), newline=False)
    return [
        (b"Lambda-Runtime-Function-Error-Type", error.error_type.encode()),
        (b"Lambda-Runtime-Function-Error-Body", body),
    ]
