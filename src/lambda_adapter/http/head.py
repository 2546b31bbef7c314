"""Parse the head of a response: its status line and its headers.

https://www.rfc-editor.org/rfc/rfc9112#section-4
"""

import re

import msgspec

from lambda_adapter.errors import PeerError
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import TOKEN, Fields
from lambda_adapter.quoting import MAX_QUOTED, truncate_middle

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: ([^\x00-\x08\n-\x1f\x7f]*))?")
"""https://www.rfc-editor.org/rfc/rfc9112#section-4"""

_VERSION = b"HTTP/1."

_PROTOCOL = re.compile(rb"(?!HTTP/1\.[01])[A-Z]{2,8}[-/][0-9]\.[0-9]\b")
"""A protocol and its version, such as ``SSH-2.0`` or ``RTSP/1.0``."""

MAX_PROTOCOL = 16
"""Bytes by which another protocol is recognised."""

_known_status_lines: dict[bytes, tuple[int, int, bytes]] = {}

_TLS_ALERT = b"\x15\x03"
"""The reply of a TLS server to plain HTTP: a record of the type ``alert``,
https://www.rfc-editor.org/rfc/rfc8446#section-5.1"""


def read_status_line(line: bytes) -> tuple[int, int, bytes]:
    """Parse a status line; return the minor version, the status and the reason.

    Raises:
        PeerError: the line is not a status line.
    """
    if known := _known_status_lines.get(line):
        return known
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise malformed(_describe_status_line(line))
    read = int(match[1]), int(match[2]), match[3] or b""
    return memoize(_known_status_lines, line, read)


def check_beginning(line: bytes) -> None:
    """Refuse bytes that can't become a status line, whatever follows.

    Raises:
        PeerError: the bytes are not the beginning of one.
    """
    # Without this, a peer that speaks another protocol, and waits for a greeting that
    # never comes, would be waited for until the deadline.
    beginning = line.strip(b"\r")[: len(_VERSION)]
    if not _VERSION.startswith(beginning):
        raise malformed(_describe_status_line(line))


def malformed(reason: str) -> PeerError:
    """Return the error for bytes that are not HTTP/1.1."""
    message = f"its response is not HTTP/1.1: {reason}"
    return PeerError(message, answered=True)


def _describe_status_line(line: bytes) -> str:
    """Describe an invalid status line. Nothing but a protocol's name is quoted.

    Anything else may be a secret, and the description is logged.
    """
    if line.startswith(_TLS_ALERT):
        return "it speaks TLS, and plain HTTP is needed"
    if match := _PROTOCOL.match(line):
        return f"it speaks {match[0].decode()}"
    return "it does not begin with a status line"


MAX_HEAD = 131_072
"""Largest head in bytes, interim responses included. No gateway in front of Lambda
delivers a larger one: API Gateway stops at 10,240 bytes, ALB at 32 KB
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html)."""

_TEXT = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.5, less the control characters."""

CONNECTION = b"connection"
CONTENT_LENGTH = b"content-length"
TRANSFER_ENCODING = b"transfer-encoding"
_FRAMING = frozenset({CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING})

_known: dict[bytes, bytes] = {}
"""Lower-case names of headers that frame the body, ``b""`` for all others."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """A status line and its headers."""

    minor_version: int
    """1 for HTTP/1.1, 0 for HTTP/1.0."""
    status: int
    reason: bytes
    fields: Fields
    framing: dict[bytes, bytes]
    """The values of the headers that frame the body, by lower-case name. Values of the
    same name are joined by commas."""
    size: int
    """Bytes, including the empty line at the end."""


class HeadReader:
    """Parses a head of at most ``limit`` bytes, fed with bytes."""

    _status_line: tuple[int, int, bytes] | None = None
    _size = 0
    """Bytes of complete lines, including empty ones before the status line."""

    def __init__(self, limit: int = MAX_HEAD) -> None:
        self._limit = limit
        self._fields: Fields = []
        self._framing: dict[bytes, bytes] = {}
        self._line = bytearray()
        """An incomplete line, buffered until the rest arrives."""

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Parse the next bytes; once the head is complete, return it and what follows.

        Raises:
            PeerError: the head is not HTTP/1.0 or 1.1, or exceeds the limit.
        """
        if self._size or self._line:
            return self._feed_lines(data)
        # Nearly every head arrives in one piece, with CR and LF at each line's end. One
        # ``split`` finds its lines, and one ``translate`` checks all its characters: it
        # must leave nothing but the line breaks. Otherwise, parse line by line.
        head, end, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        if not first or not end or head.translate(None, _TEXT) != b"\r\n" * len(lines):
            return self._feed_lines(data)
        self._size = len(head) + len(end)
        self._take_fields(lines)
        return self._head(read_status_line(first)), rest

    def _feed_lines(self, data: bytes) -> tuple[Head, bytes] | None:
        """Parse line by line, each as soon as it is complete."""
        # Not only when all lines are there: a peer that speaks another protocol may
        # never send an empty line, and the deadline would be the first to notice.
        start = 0
        while (end := data.find(b"\n", start)) != -1:
            self._line += data[start:end]
            start = end + 1
            self._size += len(self._line) + 1
            line = bytes(self._line).removesuffix(b"\r")
            self._line.clear()
            if self._status_line and not line:
                return self._head(self._status_line), data[start:]
            self._take_line(line)
        self._line += data[start:]
        self._check_size(self._size + len(self._line))
        if not self._status_line:
            check_beginning(bytes(self._line[:MAX_PROTOCOL]))
        return None

    def _take_line(self, line: bytes) -> None:
        if self._status_line:
            _check_text(line)
            self._take_fields([line])
        # Empty lines before the status line are ignored, as llhttp ignores them.
        elif line:
            self._status_line = read_status_line(line)

    def _take_fields(self, lines: list[bytes]) -> None:
        """Add headers from lines whose characters have been checked."""
        for line in lines:
            try:
                name, value, framing = read_field(line)
            except PeerError as error:
                raise self._located(error) from None
            self._fields.append((name, value))
            if framing:
                said = self._framing.get(framing)
                self._framing[framing] = value if said is None else said + b"," + value

    def _located(self, error: PeerError) -> PeerError:
        """Add which header came before the one that the error is about."""
        if not self._fields:
            return error
        last = _quote_name(self._fields[-1][0])
        return PeerError(f"{error}, after the header {last}", answered=True)

    def _head(self, status_line: tuple[int, int, bytes]) -> Head:
        self._check_size(self._size)
        return Head(*status_line, self._fields, self._framing, self._size)

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            message = f"the head of its response is over {MAX_HEAD:,} bytes"
            raise PeerError(message, answered=True)


def read_field(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Parse a header; return its name and value, and its role in framing the body.

    The role is the lower-case name of a header that frames the body, else ``b""``.
    Control characters are not checked for.

    Raises:
        PeerError: the line is not a header.
    """
    name, colon, value = line.partition(b":")
    framing = _known.get(name)
    if framing is None or not colon:
        framing = _check_name(name, colon)
    return name, value.strip(b" \t"), framing


def _check_name(name: bytes, colon: bytes) -> bytes:
    """Check a name, and return it in lower case if it frames the body, else ``b""``."""
    # RFC 9112 allows a client to join such lines, but a proxy in between may not have:
    # two readings of one head are how responses are smuggled.
    # https://www.rfc-editor.org/rfc/rfc9112#section-5.2
    if name[:1] in {b" ", b"\t"}:
        raise malformed("a header is folded over several lines")
    if not colon:
        raise malformed("a header line has no colon")
    if not TOKEN.fullmatch(name):
        raise malformed("a header has an invalid name")
    lower = name.lower()
    return memoize(_known, name, lower if lower in _FRAMING else b"")


def check_field(line: bytes) -> None:
    """Check a header whose name and value are not needed.

    Raises:
        PeerError: the header is not valid.
    """
    _check_text(line)
    read_field(line)


def has_controls(line: bytes) -> bool:
    """Return whether a line has characters that are not allowed in a header."""
    return bool(line.translate(None, _TEXT))


def _check_text(line: bytes) -> None:
    if has_controls(line):
        # Names are no secrets, unlike values.
        name, colon, _ = line.partition(b":")
        is_named = colon and TOKEN.fullmatch(name)
        which = f"the header {_quote_name(name)}" if is_named else "a header"
        raise malformed(f"{which} has a control character")


def _quote_name(name: bytes) -> str:
    return truncate_middle(name.decode(), MAX_QUOTED)
