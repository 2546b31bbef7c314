"""Paths and queries: how each gateway's version of them becomes a request target.

Gateways differ in what they decode before Lambda sees it. What arrives as the client
sent it goes on as it is; what arrives decoded is encoded again. In both, what has no
place in a request line is escaped, so that nothing can be smuggled past it. Targets are
put together as strings: ``//a``, ``/a/../b`` and ``;`` are the application's to judge.
"""

import re
from collections.abc import Callable, Iterable


def _escaper(allowed: bytes) -> Callable[[bytes], bytes]:
    """Return a function that escapes all bytes but these."""
    table = [
        bytes([byte]) if byte in allowed else b"%%%02X" % byte for byte in range(256)
    ]

    def escape(data: bytes) -> bytes:
        if not data.translate(None, allowed):
            return data
        return b"".join([table[byte] for byte in data])

    return escape


_VISIBLE = bytes(range(0x21, 0x7F))
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
"""https://www.rfc-editor.org/rfc/rfc3986#section-2.3"""

_PATH = _UNRESERVED + b"!$&'()*+,;=:@/%"
"""``pchar``, the slash and the percent sign of an escape:
https://www.rfc-editor.org/rfc/rfc3986#section-3.3"""

_escape_path = _escaper(_PATH)
_escape_raw_path = _escaper(_VISIBLE.translate(None, b"?#"))
_escape_raw_query = _escaper(_VISIBLE.translate(None, b"#"))
_escape_value = _escaper(_UNRESERVED)
_BARE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def verbatim_path(path: str) -> bytes:
    """Return a path that arrived as it was sent (ALB, REST API, function URL)."""
    return _absolute(_escape_raw_path(path.encode()))


def encoded_path(path: str) -> bytes:
    """Return a path that arrived decoded (HTTP API), encoded again.

    API Gateway decodes twice and cuts at a decoded ``?``, so the client's own spelling
    is lost. Whatever may not stand in a path is escaped, and so is a ``%`` that begins
    no escape; an escape that is left stays, for it was one inside another.
    """
    escaped = _escape_path(path.encode())
    if b"%" in escaped:
        escaped = _BARE_PERCENT.sub(b"%25", escaped)
    return _absolute(escaped)


def verbatim_query(query: str) -> bytes:
    """Return a query that arrived as it was sent."""
    return _escape_raw_query(query.encode())


def joined_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return a query whose names and values arrived as sent, but apart (ALB).

    ALB does not tell ``?flag`` from ``?flag=``, nor how different names alternated.
    """
    return verbatim_query("&".join(f"{name}={value}" for name, value in pairs))


def encoded_query(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return a query whose names and values arrived decoded (REST API), encoded again.

    A space becomes ``%20``, which means the same to every reader, unlike ``+``.
    """
    return b"&".join(
        _escape_value(name.encode()) + b"=" + _escape_value(value.encode())
        for name, value in pairs
    )


def join(path: bytes, query: bytes) -> bytes:
    """Return the target in origin-form.

    https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1
    """
    return path + b"?" + query if query else path


def _absolute(path: bytes) -> bytes:
    return path if path.startswith(b"/") else b"/" + path
