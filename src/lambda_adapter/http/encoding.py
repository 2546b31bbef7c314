"""Serialise requests: heads, chunks, trailers."""

import msgspec

from lambda_adapter.http.messages import Fields, Parts, Request


class EncodedRequest(msgspec.Struct, frozen=True, gc=False):
    """A request in the bytes that are sent."""

    method: bytes
    head: bytes
    """The request line, the headers and the empty line."""
    body: bytes = b""


def encode_request(request: Request) -> EncodedRequest:
    """Serialise the request line and the headers, exactly as given.

    https://www.rfc-editor.org/rfc/rfc9112#section-2.1
    """
    line = b"%b %b HTTP/1.1" % (request.method, request.target)
    head = b"\r\n".join([line, *map(b": ".join, request.fields), b"", b""])
    return EncodedRequest(request.method, head, request.body)


LAST_CHUNK = b"0\r\n\r\n"
"""https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""


def encode_chunk(piece: Parts) -> Parts:
    """Frame a piece of a body. An empty one would end the body: never pass it.

    The piece is not copied: all parts are sent together, by one system call.
    """
    return b"%x\r\n" % sum(map(len, piece)), *piece, b"\r\n"


def encode_last_chunk(trailers: Fields) -> bytes:
    """End a body with a trailer section.

    https://www.rfc-editor.org/rfc/rfc9112#section-7.1.2
    """
    lines = [name + b": " + value + b"\r\n" for name, value in trailers]
    return b"0\r\n" + b"".join(lines) + b"\r\n"
