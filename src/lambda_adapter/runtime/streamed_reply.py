"""Encode a streamed reply: prelude, delimiter, body, and trailers if the body fails.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import binascii
from collections.abc import AsyncGenerator
from typing import Protocol

from lambda_adapter.errors import AdapterError, InvocationError
from lambda_adapter.http.encoding import LAST_CHUNK, encode_chunk, encode_last_chunk
from lambda_adapter.http.messages import Fields, Parts, Stream
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.api import DELIMITER, encode_error


class Named(Protocol):
    """Something that the log can name, such as a ``Call``."""

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the request."""


async def encode_stream(
    prelude: bytes, body: bytes | Stream, about: Named
) -> AsyncGenerator[Parts, None]:
    """Yield the chunks of a streamed reply: prelude, delimiter, body, and its end.

    Each chunk is in parts, so that no piece of the body is copied.
    A body that fails ends in trailers with the error.
    """
    yield encode_chunk((prelude, DELIMITER))
    streamed = 0
    try:
        if not isinstance(body, bytes):
            async for piece in body:
                yield encode_chunk(piece)
                streamed += sum(map(len, piece))
        elif body:
            yield encode_chunk((body,))
    # The status has been sent, so trailers are the only place left for an error. Lambda
    # then counts the invocation as failed, and the client sees the response end early.
    except InvocationError as error:
        broken = f"the stream broke off after {streamed:,} bytes"
        log.error("%s", error.line(f"{about.subject}: {broken}"))
        yield (encode_last_chunk(error_trailers(error)),)
    else:
        yield (LAST_CHUNK,)


def error_trailers(error: AdapterError) -> Fields:
    """Return the trailers that report an error after the status was sent."""
    body = binascii.b2a_base64(encode_error(error), newline=False)
    return [
        (b"Lambda-Runtime-Function-Error-Type", error.error_type.encode()),
        (b"Lambda-Runtime-Function-Error-Body", body),
    ]
