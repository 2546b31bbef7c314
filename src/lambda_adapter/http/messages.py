"""HTTP messages as values: made from events, and turned into replies."""

import codecs
import re
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from lambda_adapter.quoting import MAX_QUOTED, truncate_middle

Address = tuple[str, int] | str
"""An address to connect to: host and port, or the path of a Unix socket."""


def authority(address: Address) -> bytes:
    """Return the ``Host`` of the adapter's own requests, such as 127.0.0.1:8080.

    For a Unix socket it is ``localhost``.
    https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """
    if isinstance(address, str):
        return b"localhost"
    name, number = address
    return (f"[{name}]:{number}" if ":" in name else f"{name}:{number}").encode()


TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A method, or the name of a header: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2"""

Field = tuple[bytes, bytes]
Fields = list[Field]
"""Headers, as pairs of name and value (https://www.rfc-editor.org/rfc/rfc9110#section-6.3)."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers for one connection only; an intermediary removes them in both directions:
https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1. ``Trailer`` goes with the trailer
section, which no Lambda event or reply can carry. ``Proxy-Status`` stays: it is for the
recipient (https://www.rfc-editor.org/rfc/rfc9209#section-2). So do the headers by which
proxies authenticate, which that section does not list."""


MAX_PATH = 300
"""Characters of a path in the log. Gateways accept paths of kilobytes."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """A request to the application. ``target`` is in origin-form, ready to be sent."""

    method: bytes
    target: bytes
    fields: Fields
    body: bytes = b""


def name_request(method: str, target: bytes) -> str:
    """Return ``METHOD PATH`` for the log: no query, which may hold secrets."""
    path = target.partition(b"?")[0].decode("latin-1")
    return f"{truncate_middle(method, MAX_QUOTED)} {truncate_middle(path, MAX_PATH)}"


Parts = Sequence[bytes | memoryview]
"""Bytes that belong together, in parts, so that large ones need not be copied."""


class Stream(Protocol):
    """A body in pieces. Close it, unless it was read to its end."""

    def __aiter__(self) -> AsyncIterator[Parts]:
        """Return itself."""

    async def __anext__(self) -> Parts:
        """Return the next piece, which is not empty."""

    async def aclose(self) -> None:
        """Release the source of the pieces."""


class Response(msgspec.Struct, frozen=True):
    """The application's response, with a whole body or a stream."""

    status: int
    reason: bytes
    fields: Fields
    body: bytes | Stream = b""


def connection_options(fields: Fields) -> set[bytes]:
    """Return the options of ``Connection``, in lower case.

    https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
    """
    return {
        option.strip().lower()
        for name, value in fields
        if name.lower() == b"connection"
        for option in value.split(b",")
    }


_FOLD = bytes(
    byte if chr(byte).isalnum() and byte < 0x80 else ord("-")
    for byte in bytes(range(256)).lower()
)


def folded(name: bytes) -> bytes:
    """Normalise a header's name as CGI does: fold case and punctuation.

    CGI and its successors ignore case and punctuation: ``X_A``, ``x.a`` and ``X-A`` are
    the same variable (https://www.rfc-editor.org/rfc/rfc3875#section-4.1.18). A client
    that may not send one of them may not send the others.
    """
    return name.translate(_FOLD)


def decoded(value: bytes) -> str:
    """Decode a header's value from the application: as UTF-8 if valid, else Latin-1.

    Headers are bytes, but replies are JSON, which has only text. A gateway encodes it
    as UTF-8, so that a value in any other encoding can't reach the client unchanged:
    https://www.rfc-editor.org/rfc/rfc9110#section-5.5
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def end_to_end(fields: Fields) -> Fields:
    """Return the headers of a response that are not for one connection only."""
    kept = [field for field in fields if field[0].lower() not in HOP_BY_HOP]
    # ``Connection`` is hop-by-hop itself, so if none was dropped there is none to obey.
    if len(kept) < len(fields) and (options := connection_options(fields)):
        kept = [field for field in kept if field[0].lower() not in options]
    return kept


def ascii_json(document: bytes) -> bytes:
    """Return the same JSON in printable ASCII, so that it can be a header's value.

    White space between tokens becomes spaces. Any other character that is not printable
    ASCII must be within a string, so it is escaped (https://www.rfc-editor.org/rfc/rfc8259#section-7).

    Raises:
        UnicodeDecodeError: the document is not UTF-8.
    """
    # Nearly all are printable ASCII already, and ``translate`` is one pass in C.
    if not document.translate(None, _PRINTABLE):
        return document
    escaped = document.translate(_SPACED).decode().encode("ascii", _ESCAPED)
    # DEL is ASCII and so was not escaped, but no header may have it.
    return escaped.replace(b"\x7f", b"\\u007f")


_SPACED = bytes.maketrans(b"\t\n\r", b"   ")
_PRINTABLE = bytes(range(0x20, 0x7F))
_ESCAPED = "lambda_adapter.escaped"


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Return JSON's escapes of non-ASCII characters, and where to continue."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be").hex()
    escapes = [f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)]
    return "".join(escapes), error.end


codecs.register_error(_ESCAPED, _escape)
