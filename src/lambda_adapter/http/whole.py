"""Responses that come whole in one piece, and plainly framed, as nearly all do.

They are read with the methods of ``bytes``, at a fifth of the instructions that the
parser takes (measured). It is a strict subset: whatever is odd, or could be, is left to
``http1.ResponseParser``, which would read the same. Core: no I/O.
"""

from typing import NamedTuple

from lambda_adapter.http.framing import MAX_LENGTH_DIGITS
from lambda_adapter.http.head import (
    CONNECTION,
    CONTENT_LENGTH,
    MAX_HEAD,
    has_controls,
    read_field,
)
from lambda_adapter.http.known import remember
from lambda_adapter.http.messages import Field, Fields, Response
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.http.status_line import read_status_line

_REPEATED = frozenset(
    {
        b"cache-control",
        b"connection",
        b"content-length",
        b"content-type",
        b"date",
        b"keep-alive",
        b"lambda-runtime-invoked-function-arn",
        b"server",
        b"vary",
        b"x-content-type-options",
        b"x-frame-options",
        b"x-powered-by",
    }
)
"""Fields of which peers send the same few values, and none that is one client's."""


class _Head(NamedTuple):
    status: int
    reason: bytes
    fields: Fields
    length: int


_known_heads: dict[bytes, _Head] = {}
"""Heads of nothing but such fields: those of Lambda's own responses to replies."""

_known_lines: dict[bytes, tuple[Field, int]] = {}
"""Lines of such fields, and the length of the body that each states, -1 for none."""

_known_names: dict[bytes, bool] = {}
"""Names of other fields, none of which frames a body."""

_known_statuses: dict[bytes, tuple[int, bytes]] = {}


def read_whole(data: bytes, max_body: float) -> Response | None:
    """Return the response that these bytes are, up to the last one.

    That is one in HTTP/1.1 to a method other than HEAD, after which the connection may
    be used again. None is for all others, whole or not, valid or not.
    """
    head, end, body = data.partition(b"\r\n\r\n")
    read = _known_heads.get(head) or _read_head(head)
    if not read or not end or read.length != len(body) or read.length > max_body:
        return None
    return Response(read.status, read.reason, read.fields.copy(), body)


def _read_head(head: bytes) -> _Head | None:
    first, *lines = head.split(b"\r\n")
    status_line = _known_statuses.get(first) or _read_status_line(first)
    if not status_line or len(head) > MAX_HEAD - len(b"\r\n\r\n"):
        return None
    fields: Fields = []
    stated = -1
    is_text = False
    for line in lines:
        known = _known_lines.get(line)
        if known is None:
            # Controls are looked for once, and within all lines: that costs less.
            is_text = is_text or not has_controls(b"".join(lines))
            name, colon, value = line.partition(b":")
            if is_text and colon and name in _known_names:
                fields.append((name, value.strip(b" \t")))
                continue
            known = _read_line(line) if is_text else None
            if known is None:
                return None
        field, length = known
        fields.append(field)
        if length >= 0:
            if stated >= 0:
                return None
            stated = length
    read = _Head(*status_line, fields, stated)
    return read if is_text else remember(_known_heads, head, read)


def _read_status_line(line: bytes) -> tuple[int, bytes] | None:
    try:
        minor_version, status, reason = read_status_line(line)
    except PeerError:
        return None
    if not minor_version or status < 200 or status in {204, 304}:
        return None
    return remember(_known_statuses, line, (status, reason))


def _read_line(line: bytes) -> tuple[Field, int] | None:
    """Return a field and the length of the body that it states, -1 for none."""
    try:
        name, value, framing = read_field(line)
    except PeerError:
        return None
    length = -1
    if framing == CONTENT_LENGTH:
        if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
            return None
        length = int(value)
    elif framing and (framing != CONNECTION or value.lower() != b"keep-alive"):
        return None
    read = (name, value), length
    if name.lower() in _REPEATED:
        return remember(_known_lines, line, read)
    remember(_known_names, name, True)
    return read
