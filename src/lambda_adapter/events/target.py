"""Turn the path and query of an event into a request target.

Gateways differ in what they decode before Lambda sees it. What arrives as the client
sent it is forwarded unchanged; what arrives decoded is encoded again. In both, any byte
that is not allowed in a request line is escaped, so that no client can smuggle in a
second header or request. Targets are joined as strings and never normalised: what
``//a``, ``/a/../b`` and ``;`` mean is for the application to decide.
"""

from __future__ import annotations

import functools
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _escaper(allowed: bytes) -> Callable[[bytes], bytes]:
    """Return a function that percent-encodes all bytes but these."""

    def escape(data: bytes) -> bytes:
        # Most paths and queries need no escape, and one ``translate`` shows that.
        if not data.translate(None, allowed):
            return data
        table = _escape_table(allowed)
        return b"".join([table[byte] for byte in data])

    return escape


@functools.cache
def _escape_table(allowed: bytes) -> list[bytes]:
    """Return what becomes of each byte: a start rarely needs it."""
    return [
        bytes([byte]) if byte in allowed else b"%%%02X" % byte for byte in range(256)
    ]


_VISIBLE = bytes(range(0x21, 0x7F))
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
"""https://www.rfc-editor.org/rfc/rfc3986#section-2.3"""

_PATH = _UNRESERVED + b"!$&'()*+,;=:@/%"
"""``pchar`` and the slash, with the percent sign of an escape:
https://www.rfc-editor.org/rfc/rfc3986#section-3.3"""

_escape_path = _escaper(_PATH)
# A verbatim path or query may have characters that the RFC forbids but servers accept,
# such as ``|`` or ``[``. Escaped is only what would end it early, or is not visible.
_escape_raw_path = _escaper(_VISIBLE.translate(None, b"?#"))
_escape_raw_query = _escaper(_VISIBLE.translate(None, b"#"))
_escape_value = _escaper(_UNRESERVED)
_BARE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def verbatim_path(path: str) -> bytes:
    """Return a path that arrived as the client sent it (ALB, REST API, URL)."""
    return _with_slash(_escape_raw_path(path.encode()))


def encoded_path(path: str) -> bytes:
    """Encode a path that arrived decoded (HTTP API).

    API Gateway decodes twice and cuts at a decoded ``?``, so the client's own spelling
    is lost. Bytes that are not allowed in a path are escaped, and so is a ``%`` that
    does not begin an escape. A remaining escape was nested in another, and stays.
    """
    escaped = _escape_path(path.encode())
    if b"%" in escaped:
        escaped = _BARE_PERCENT.sub(b"%25", escaped)
    return _with_slash(escaped)


def verbatim_query(query: str) -> bytes:
    """Return a query that arrived as the client sent it."""
    return _escape_raw_query(query.encode())


def joined_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Join a query whose names and values arrived encoded but split (ALB).

    ALB's event does not distinguish ``?flag`` from ``?flag=``, and loses the order in
    which different names alternated.
    """
    return verbatim_query("&".join(f"{name}={value}" for name, value in pairs))


def encoded_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Encode a query whose names and values arrived decoded (REST API).

    A space becomes ``%20``, which every parser reads as a space, unlike ``+``.
    """
    return b"&".join(
        _escape_value(name.encode()) + b"=" + _escape_value(value.encode())
        for name, value in pairs
    )


def join(path: bytes, query: bytes) -> bytes:
    """Join a path and a query to a target in origin-form.

    https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1
    """
    return path + b"?" + query if query else path


def _with_slash(path: bytes) -> bytes:
    return path if path.startswith(b"/") else b"/" + path
