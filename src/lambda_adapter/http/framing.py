"""What the head of a response says of its body and of its connection.

Core: no I/O.
"""

import msgspec

from lambda_adapter.http.chunked import ChunkedBody
from lambda_adapter.http.head import CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, Head
from lambda_adapter.http.known import remember
from lambda_adapter.http.messages import Fields
from lambda_adapter.http.response_body import Body, LengthBody, NoBody, UntilEndBody
from lambda_adapter.http.status_line import malformed

_WITHOUT_BODY = frozenset({204, 304})
"""https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1"""

MAX_LENGTH_DIGITS = 18
"""Digits of a ``Content-Length``: as many as 64 bits hold, whatever they are."""


class Framing(msgspec.Struct, frozen=True, gc=False):
    """How a response goes on after its head."""

    body: Body
    length: int
    """Bytes of the body; 0 where the head does not say."""
    persists: bool
    """Whether the connection may carry another exchange."""
    fields: Fields
    """Those of the head that are valid."""


def read_framing(method: bytes, head: Head) -> Framing:
    """Return what follows the head of a response to a request with this method.

    https://www.rfc-editor.org/rfc/rfc9112#section-6.3: ``chunked`` overrides
    ``Content-Length``, which is dropped, and a length that is repeated counts once.
    ``identity`` was no coding (https://www.rfc-editor.org/rfc/rfc2616#section-3.6).

    A connection is not used again after any of these, nor after HEAD, nor after a 204
    or 304 that declares a body: some applications send that body all the same, and
    late, and another client would get it in response to the next request.

    Raises:
        PeerError: the end of the body could be understood in more than one way.
    """
    said = head.framing
    fields = head.fields
    persists = _persists(head.minor_version, said.get(CONNECTION))
    lengths = said.get(CONTENT_LENGTH)
    chunked = False
    if TRANSFER_ENCODING in said:
        chunked = _is_chunked(said[TRANSFER_ENCODING])
        persists = persists and chunked and not lengths and head.minor_version == 1
    length = None if chunked or lengths is None else _read_length(lengths)
    if lengths and (chunked or b"," in lengths):
        persists = False
        fields = [field for field in fields if field[0].lower() != CONTENT_LENGTH]
        if length is not None:
            fields.append((CONTENT_LENGTH, b"%d" % length))
    if method == b"HEAD" or head.status in _WITHOUT_BODY:
        persists = persists and method != b"HEAD" and not chunked and not length
        return Framing(NoBody(), 0, persists, fields)
    if chunked:
        return Framing(ChunkedBody(), 0, persists, fields)
    if length is None:
        return Framing(UntilEndBody(), 0, False, fields)
    return Framing(LengthBody(length), length, persists, fields)


_known_options: dict[bytes, frozenset[bytes]] = {}


def _persists(minor_version: int, options: bytes | None) -> bool:
    """https://www.rfc-editor.org/rfc/rfc9112#section-9.3."""
    if options is None:
        return minor_version == 1
    named = _known_options.get(options)
    if named is None:
        named = remember(_known_options, options, _items(options.lower()))
    return b"close" not in named and (minor_version == 1 or b"keep-alive" in named)


def _is_chunked(codings: bytes) -> bool:
    named = _items(codings.lower()) - {b"identity"}
    if named - {b"chunked"}:
        raise malformed("its Transfer-Encoding is not just chunked")
    return bool(named)


def _read_length(lengths: bytes) -> int:
    digits, *others = _items(lengths) if b"," in lengths else (lengths,)
    if others or not digits.isdigit() or len(digits) > MAX_LENGTH_DIGITS:
        raise malformed("its Content-Length is not one number")
    return int(digits)


def _items(values: bytes) -> frozenset[bytes]:
    """https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1."""
    return frozenset([item.strip(b" \t") for item in values.split(b",")])
