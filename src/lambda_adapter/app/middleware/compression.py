"""AWS_LWA_ENABLE_COMPRESSION: compress responses if the client accepts that."""

import re
import zlib
from collections.abc import Callable

import msgspec

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.errors import ResponseTooLargeError
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.messages import Fields, Request, Response

try:
    import brotli
except ImportError:  # pip install lambda-adapter[brotli]
    brotli = None

try:
    from compression import zstd
except ImportError:  # Python 3.14 has it
    zstd = None


LEAST = 1024
"""Smallest body to compress, in bytes. A smaller one fits into one packet anyway."""

GZIP = 16 + zlib.MAX_WBITS
"""zlib's ``wbits`` for a gzip header and trailer."""

GZIP_LEVEL = 4
"""Below zlib's own default, 6 (https://www.zlib.net/manual.html): the function waits,
and is billed, while it compresses. 175 kB of text take 18 million instructions instead
of 29, and 5 % more bytes (33.4 % of the text instead of 31.9 %). isal's gzip would take
a tenth of the time and a fifth more bytes; it is left out, since it is one more package
in C for each machine and libc, and a client that is in a hurry accepts brotli."""

BROTLI_QUALITY = 1
"""The same text takes 6 million instructions, instead of 35 at quality 5, and 35.8 % of
its bytes instead of 30.4 %: a third of gzip's instructions for 7 % more bytes."""

ZSTD_LEVEL = 3
"""zstd's own default. The same text takes 7 million instructions, and as many bytes as
gzip's. Its window is below the 8 MB that clients have to accept:
https://www.rfc-editor.org/rfc/rfc9659#section-3"""

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
"""Headers that forbid compression: the body is encoded, partial or has a checksum."""

_WEIGHT = re.compile(rb"q\s*=\s*([01](?:\.[0-9]{0,3})?)")
"""https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2"""


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP)
    return compressor.compress(body) + compressor.flush()


def _brotli(body: bytes) -> bytes:
    compressed: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
    return compressed


def _zstd(body: bytes) -> bytes:
    compressed: bytes = zstd.compress(body, level=ZSTD_LEVEL)
    return compressed


CODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    **({b"br": _brotli} if brotli else {}),
    **({b"zstd": _zstd} if zstd else {}),
    b"gzip": _gzip,
}
"""The available codings, the cheapest first, by the names of
https://www.iana.org/assignments/http-parameters/http-parameters.xhtml#content-coding"""


def compress(request: Request, response: Response) -> Response:
    """Compress the response, if the client accepts that and it saves anything.

    A compressible response gets ``Vary`` even if it is not compressed, since caches
    need it: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5
    """
    body = response.body
    if not isinstance(body, bytes) or not _is_compressible(response, len(body)):
        return response
    fields = _with_vary(response.fields)
    if coding := choose_coding(request.fields):
        body = CODINGS[coding](body)
        fields = _compressed_fields(fields, coding, len(body))
    return msgspec.structs.replace(response, fields=fields, body=body)


def choose_coding(fields: Fields) -> bytes:
    """Return the coding that a client prefers, or ``b""``.

    Among equal preferences, it is the cheapest coding.
    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    """
    weights = _accepted_codings(fields)
    others = weights.get(b"*", 0)
    liked = {coding: weights.get(coding, others) for coding in CODINGS}
    best = max(liked, key=lambda coding: liked[coding])
    return best if liked[best] > 0 else b""


def _accepted_codings(fields: Fields) -> dict[bytes, float]:
    """Return the weights in ``Accept-Encoding``; ``x-gzip`` is an alias of gzip."""
    weights: dict[bytes, float] = {}
    for name, value in fields:
        if name.lower() == b"accept-encoding":
            for item in value.lower().split(b","):
                coding, _, parameter = item.partition(b";")
                weight = _WEIGHT.fullmatch(parameter.strip())
                name = coding.strip().removeprefix(b"x-")
                weights[name] = float(weight[1]) if weight else float(not parameter)
    return weights


def _is_compressible(response: Response, size: int) -> bool:
    said = {name.lower(): value.strip().lower() for name, value in response.fields}
    return (
        size >= LEAST
        and response.status not in {204, 206, 304}
        and not _UNTOUCHABLE & said.keys()
        and b"no-transform" not in said.get(b"cache-control", b"")
        and not _INCOMPRESSIBLE.match(said.get(b"content-type", b""))
    )


def _with_vary(fields: Fields) -> Fields:
    for name, value in fields:
        if name.lower() == b"vary" and re.search(rb"accept-encoding|\*", value.lower()):
            return fields
    return [*fields, (b"vary", b"accept-encoding")]


def _compressed_fields(fields: Fields, coding: bytes, size: int) -> Fields:
    """Return the headers of the compressed response.

    A strong ETag identifies exact bytes, which have changed, so it becomes a weak one.
    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1
    """
    encoded: Fields = []
    for name, value in fields:
        lower = name.lower()
        if lower == b"content-length":
            encoded.append((name, b"%d" % size))
        elif lower == b"etag" and value.startswith(b'"'):
            encoded.append((name, b"W/" + value))
        elif lower != b"accept-ranges":  # no range of this is served
            encoded.append((name, value))
    return [*encoded, (b"content-encoding", coding)]


MAX_PLAIN = 50_000_000
"""Largest body to compress, in bytes. gzip leaves a third of prose, and a tenth of many
a table; base64 takes a third more."""

MEMORY_PARTS = 16
"""Into how many parts the function's memory is divided; such a body may have one. It is
held twice for a moment, and the application may hold it as well."""


def most_plain(memory: int) -> int:
    """Return the largest body, in bytes, for a function with this memory in MB."""
    return max(MAX_REPLY, min(MAX_PLAIN, memory * 1_048_576 // MEMORY_PARTS))


class Compression(Middleware):
    """Compresses responses for clients that accept it.

    ``memory`` is the function's, in MB.
    """

    def __init__(self, transport: Transport, memory: int) -> None:
        super().__init__(transport)
        self._most_plain = most_plain(memory)

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and compress the response if that saves anything.

        The body may be larger than the source's limit, since only its compressed form
        must fit into the reply.

        Raises:
            ResponseTooLargeError: the body is too large, and can't be compressed.
        """
        if choose_coding(request.fields):
            call.max_body = self._most_plain
        response = compress(request, await self._transport.send(request, call))
        # Before it is made JSON, for which each byte takes up to six.
        if isinstance(response.body, bytes) and len(response.body) > MAX_REPLY:
            raise ResponseTooLargeError(
                "the application's response is too large: its body is over"
                f" {MAX_REPLY:,} bytes, compressed or incompressible"
            )
        return response
