"""Decide from a response's head how its body is framed.

https://www.rfc-editor.org/rfc/rfc9112#section-6
"""

import msgspec

from lambda_adapter.http.body_parsers import (
    Body,
    ChunkedBody,
    LengthBody,
    NoBody,
    UntilEndBody,
)
from lambda_adapter.http.head import (
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    Head,
    malformed,
)
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import Fields

_WITHOUT_BODY = frozenset({204, 304})
"""https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1"""

MAX_LENGTH_DIGITS = 18
"""Most digits of a ``Content-Length``: a number of 18 digits fits into 64 bits."""


class Framing(msgspec.Struct, frozen=True, gc=False):
    """How the body of a response is framed."""

    body: Body
    length: int
    """Bytes of the body; 0 if the head does not say."""
    persists: bool
    """Whether the connection may be used for another request."""
    fields: Fields
    """The valid headers."""


def read_framing(method: bytes, head: Head) -> Framing:
    """Return the framing of a response to a request with this method.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3

    After anything odd in the framing the connection is not reused.

    Raises:
        PeerError: the end of the body is ambiguous.
    """
    said = head.framing
    fields = head.fields
    persists = _persists(head.minor_version, said.get(CONNECTION))
    lengths = said.get(CONTENT_LENGTH)
    chunked = False
    if TRANSFER_ENCODING in said:
        chunked = _is_chunked(said[TRANSFER_ENCODING])
        # Both at once is how requests and responses are smuggled; RFC 9112 says to
        # close, and HTTP/1.0 has no chunks.
        persists = persists and chunked and not lengths and head.minor_version == 1
    length = None if chunked or lengths is None else _read_length(lengths)
    if lengths and (chunked or b"," in lengths):
        # ``chunked`` overrides the length, which must not be forwarded then. A repeated
        # length counts once: "Content-Length: 5, 5" is what proxies make of two.
        persists = False
        fields = [field for field in fields if field[0].lower() != CONTENT_LENGTH]
        if length is not None:
            fields.append((CONTENT_LENGTH, b"%d" % length))
    if method == b"HEAD" or head.status in _WITHOUT_BODY:
        # Some applications send the body anyway, and late: in the next exchange over
        # this connection, another client would get it. So none follows after HEAD, nor
        # after a 204 or 304 that declares a body.
        persists = persists and method != b"HEAD" and not chunked and not length
        return Framing(NoBody(), 0, persists, fields)
    if chunked:
        return Framing(ChunkedBody(), 0, persists, fields)
    if length is None:
        return Framing(UntilEndBody(), 0, False, fields)
    return Framing(LengthBody(length), length, persists, fields)


_known_options: dict[bytes, frozenset[bytes]] = {}


def _persists(minor_version: int, options: bytes | None) -> bool:
    """Return whether the connection persists after the response.

    https://www.rfc-editor.org/rfc/rfc9112#section-9.3
    """
    if options is None:
        return minor_version == 1
    named = _known_options.get(options)
    if named is None:
        named = memoize(_known_options, options, _framing_items(options.lower()))
    return b"close" not in named and (minor_version == 1 or b"keep-alive" in named)


def _is_chunked(codings: bytes) -> bool:
    # https://www.rfc-editor.org/rfc/rfc2616#section-3.6: "identity" was the name for no
    # coding, and old servers still send it.
    named = _framing_items(codings.lower()) - {b"identity"}
    if named - {b"chunked"}:
        raise malformed("its Transfer-Encoding is not just chunked")
    return bool(named)


def _read_length(lengths: bytes) -> int:
    digits, *others = _framing_items(lengths) if b"," in lengths else (lengths,)
    if others or not digits.isdigit() or len(digits) > MAX_LENGTH_DIGITS:
        raise malformed("its Content-Length is not one number")
    return int(digits)


def _framing_items(values: bytes) -> frozenset[bytes]:
    """Return the items of a header that frames the body.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1

    A set, so that a repeated item counts once.
    """
    return frozenset([item.strip(b" \t") for item in values.split(b",")])
