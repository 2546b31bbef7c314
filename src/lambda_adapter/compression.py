"""Compressing a whole response, for a client that accepts gzip.

It saves transfer and, as base64, room in Lambda's 6 MB. What is compressed already, or
gains nothing, or must not change, stays as it is. Core: no I/O.
"""

import re
import zlib

import msgspec

from lambda_adapter.messages import Fields, Request, Response

LEAST = 1024
"""Bytes below which a body gains nothing: it fits into a packet as it is."""

LEVEL = 6
"""zlib's own default: https://www.zlib.net/manual.html"""

GZIP = 16 + zlib.MAX_WBITS
"""zlib's word for a gzip header and trailer."""

_INCOMPRESSIBLE = re.compile(
    rb"(image/(?!svg\+xml|bmp|x-icon)|video/|audio/|font/woff|text/event-stream"
    rb"|application/(grpc|gzip|x-gzip|zip|zstd|x-7z|x-bzip|x-rar|pdf|vnd\.openxml)).*"
)
_UNTOUCHABLE = frozenset(
    {
        b"content-encoding",
        b"content-range",
        b"content-digest",
        b"repr-digest",
        b"digest",
        b"content-md5",
    }
)
"""With one of these, the bytes are what they are: encoded, a part, or checked."""


def compress(request: Request, response: Response) -> Response:
    """Return the response compressed, if its client accepts that and it is worth it.

    What could have been compressed says so in ``Vary`` even if it is not, for caches
    need to know: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5
    """
    body = response.body
    if not isinstance(body, bytes) or not _is_compressible(response, len(body)):
        return response
    fields = _varied(response.fields)
    if _accepts_gzip(request.fields):
        compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        body = compressor.compress(body) + compressor.flush()
        fields = _encoded(fields, len(body))
    return msgspec.structs.replace(response, fields=fields, body=body)


def _is_compressible(response: Response, size: int) -> bool:
    said = {name.lower(): value.strip().lower() for name, value in response.fields}
    return (
        size >= LEAST
        and response.status not in {204, 206, 304}
        and not _UNTOUCHABLE & said.keys()
        and b"no-transform" not in said.get(b"cache-control", b"")
        and not _INCOMPRESSIBLE.match(said.get(b"content-type", b""))
    )


def _accepts_gzip(fields: Fields) -> bool:
    """https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3, ``*`` included."""
    weights: dict[bytes, bool] = {}
    for name, value in fields:
        if name.lower() == b"accept-encoding":
            for item in value.lower().split(b","):
                coding, *parameters = (part.strip() for part in item.split(b";"))
                refused = any(re.fullmatch(rb"q=0(\.0*)?", p) for p in parameters)
                weights[coding] = not refused
    return weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", False)))


def _varied(fields: Fields) -> Fields:
    for name, value in fields:
        if name.lower() == b"vary" and re.search(rb"accept-encoding|\*", value.lower()):
            return fields
    return [*fields, (b"vary", b"accept-encoding")]


def _encoded(fields: Fields, size: int) -> Fields:
    """Return the fields of the compressed response.

    A strong ETag names bytes, and these are others: it becomes a weak one.
    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1
    """
    encoded: Fields = []
    for name, value in fields:
        lower = name.lower()
        if lower == b"content-length":
            encoded.append((name, b"%d" % size))
        elif lower == b"etag" and value.startswith(b'"'):
            encoded.append((name, b"W/" + value))
        elif lower != b"accept-ranges":  # nobody can serve a range of this
            encoded.append((name, value))
    return [*encoded, (b"content-encoding", b"gzip")]
