"""Parse responses: a fast path for complete ones, a parser for all others.

``read_fast`` is for nearly every response: HTTP/1.1, complete in one piece, framed by
``Content-Length`` alone. It splits lines with the methods of ``bytes``, looks up heads,
lines and names that it has seen before, and declines whatever it is not certain of. It
takes 62,000 instructions less than the parser.

``ResponseParser`` accepts what common clients accept and refuses what none does. It is
written here instead of using llhttp, which can't be configured to accept a repeated
length, both framings, or white space in chunk extensions, all of which servers send and
curl accepts, nor to refuse ``RTSP/1.0``. In tests/http/test_parser.py llhttp serves as
a second parser: both paths must agree with it on everything that it accepts.
"""

import math
from typing import NamedTuple

from lambda_adapter.errors import PeerError
from lambda_adapter.http.body_parsers import Body
from lambda_adapter.http.framing import MAX_LENGTH_DIGITS, read_framing
from lambda_adapter.http.head import (
    CONNECTION,
    CONTENT_LENGTH,
    MAX_HEAD,
    Head,
    HeadReader,
    has_controls,
    read_field,
    read_status_line,
)
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import Field, Fields, Parts, Response


class ResponseParser:
    """Parses one response: feed it bytes until it is ``complete``.

    Interim responses (1xx) are dropped. A body of more than ``max_body`` bytes is an
    error.
    """

    complete = False
    status = 0
    """Status of the final response, once its head has arrived."""
    answered = False
    """Whether any byte of a response has arrived."""
    _body: Body | None = None
    _reason = b""
    _fields: Fields
    _persists = False
    _interim = 0
    """Bytes of interim responses."""
    _head_reader: HeadReader | None = None
    _size = 0
    """How many bytes of the body have arrived, and were not taken."""
    _parts: Parts = ()
    """These, without a copy, if they came in one piece."""

    def __init__(self, method: bytes, max_body: float = math.inf) -> None:
        self._method = method
        self._max_body = max_body
        self._joined = bytearray()
        """These, if they came in several pieces."""

    def feed(self, data: bytes) -> None:
        """Parse the next bytes from the connection, or ``b""`` for its end.

        Raises:
            PeerError: the bytes are not valid HTTP/1.1, exceed a limit, or end
                mid-response.
        """
        if not data:
            self._feed_end()
            return
        self.answered = True
        # A loop, because one piece may hold several interim heads and the final one.
        while self._body is None:
            self._head_reader = self._head_reader or HeadReader()
            if (read := self._head_reader.feed(data)) is None:
                return
            head, data = read
            self._take_head(head)
        if data:
            self._take(self._body.feed(data))
        self.complete = self._body.complete

    def _feed_end(self) -> None:
        if self._body is not None:
            self._body.feed_end()
            self.complete = True
            return
        where = (
            "within the head of its response" if self.answered else "without a response"
        )
        raise PeerError(f"it closed the connection {where}", answered=self.answered)

    def _take(self, parts: Parts) -> None:
        self._size += sum(map(len, parts))
        if self._size > self._max_body:
            raise self._too_large()
        if not (self._parts or self._joined):
            self._parts = parts
            return
        for part in (*self._parts, *parts):
            self._joined += part
        self._parts = ()

    def _take_head(self, head: Head) -> None:
        """Start the body after a final head; after an interim one, wait for another.

        https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        """
        if head.status == 101:
            raise PeerError("it switched protocols unasked", answered=True)
        if head.status < 100:
            message = f"its status {head.status} is not an HTTP status"
            raise PeerError(message, answered=True)
        if head.status < 200:
            self._interim += head.size
            self._head_reader = HeadReader(MAX_HEAD - self._interim)
            return
        framing = read_framing(self._method, head)
        # Before the body is read: a declared 2 GB need not be received to be refused.
        if framing.length > self._max_body:
            raise self._too_large()
        self.status = head.status
        self._reason = head.reason
        self._fields = framing.fields
        self._persists = framing.persists
        self._body = framing.body

    def response(self, body: bytes) -> Response:
        """Return the response with this body, once its status is known."""
        return Response(self.status, self._reason, self._fields, body)

    def take_parts(self) -> Parts:
        """Return the bytes of the body that have arrived, and release them."""
        parts = (bytes(self._joined),) if self._joined else self._parts
        if not self._size:  # a part may be empty
            parts = ()
        self._joined.clear()
        self._parts, self._size = (), 0
        return parts

    def take_body(self) -> bytes:
        """Return them in one piece."""
        return b"".join(self.take_parts())

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request.

        https://www.rfc-editor.org/rfc/rfc9112#section-9.3
        """
        return (
            self.complete and self._persists and not (self._body and self._body.excess)
        )

    def _too_large(self) -> PeerError:
        return BodyTooLargeError(
            f"the body of its response is over {self._max_body:,} bytes"
        )


class BodyTooLargeError(PeerError):
    """The body exceeds the limit: an error of size, not of protocol."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=True)


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
"""Headers in which peers send the same few values, none of them private to a client."""


class _Head(NamedTuple):
    status: int
    reason: bytes
    fields: Fields
    length: int


_known_heads: dict[bytes, _Head] = {}
"""Heads with only such headers: those of the Runtime API's responses to replies."""

_known_lines: dict[bytes, tuple[Field, int]] = {}
"""Lines of such headers, and the body length that each declares, -1 for none."""

_known_names: dict[bytes, bool] = {}
"""Names of other headers, none of which frames the body."""

_known_statuses: dict[bytes, tuple[int, bytes]] = {}


def read_fast(data: bytes, max_body: float) -> Response | None:
    """Parse bytes that are exactly one response; return None for anything else.

    The response must be HTTP/1.1, to a method other than HEAD, and must leave the
    connection reusable. Everything else, complete or not, valid or not, is for the
    parser.
    """
    head, end, body = data.partition(b"\r\n\r\n")
    read = _known_heads.get(head) or _read_head(head)
    if not read or not end or read.length != len(body) or read.length > max_body:
        return None
    # A copy, because a middleware may change the list, and this one is kept in a table.
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
            # One check for control characters in all lines costs less than one a line.
            is_text = is_text or not has_controls(b"".join(lines))
            name, colon, value = line.partition(b":")
            # The name is known to be valid and not to frame the body. A name that does
            # is never in this table, in no spelling.
            if is_text and colon and name in _known_names:
                fields.append((name, value.strip(b" \t")))
                continue
            known = _read_line(line) if is_text else None
            if known is None:
                return None
        field, length = known
        fields.append(field)
        if length >= 0:
            # A repeated length is for the parser, which decides whether they agree.
            if stated >= 0:
                return None
            stated = length
    # A head is kept only if all of its lines were known: any other line may be private
    # to one client, and would push out a head that comes again.
    read = _Head(*status_line, fields, stated)
    return read if is_text else memoize(_known_heads, head, read)


def _read_status_line(line: bytes) -> tuple[int, bytes] | None:
    try:
        minor_version, status, reason = read_status_line(line)
    except PeerError:
        return None
    # HTTP/1.0 closes by default, an interim response is followed by another, and 204
    # and 304 have no body whatever they declare: all of that is for the parser.
    if not minor_version or status < 200 or status in {204, 304}:
        return None
    return memoize(_known_statuses, line, (status, reason))


def _read_line(line: bytes) -> tuple[Field, int] | None:
    """Parse a header; return it with the body length it declares, -1 for none."""
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
        return memoize(_known_lines, line, read)
    memoize(_known_names, name, True)
    return read
