"""The first line of a response, and what stands in its place.

Core: no I/O.
"""

import re

from lambda_adapter.http.known import remember
from lambda_adapter.http.peer_error import PeerError

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: ([^\x00-\x08\n-\x1f\x7f]*))?")
"""https://www.rfc-editor.org/rfc/rfc9112#section-4"""

_VERSION = b"HTTP/1."

_PROTOCOL = re.compile(rb"(?!HTTP/1\.[01])[A-Z]{2,8}[-/][0-9]\.[0-9]\b")
"""A protocol and its version, such as ``SSH-2.0`` or ``RTSP/1.0``."""

MAX_PROTOCOL = 16
"""Bytes that are enough to tell."""

_known_status_lines: dict[bytes, tuple[int, int, bytes]] = {}

_TLS_ALERT = b"\x15\x03"
"""How a TLS server answers plain HTTP: with a record of the type ``alert``,
https://www.rfc-editor.org/rfc/rfc8446#section-5.1"""


def read_status_line(line: bytes) -> tuple[int, int, bytes]:
    """Return the minor version, the status and the reason.

    Raises:
        PeerError: it is no status line.
    """
    if known := _known_status_lines.get(line):
        return known
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise malformed(_describe(line))
    read = int(match[1]), int(match[2]), match[3] or b""
    return remember(_known_status_lines, line, read)


def check_beginning(line: bytes) -> None:
    """Refuse what can't become a status line, whatever follows.

    Raises:
        PeerError: this can't.
    """
    beginning = line.strip(b"\r")[: len(_VERSION)]
    if not _VERSION.startswith(beginning):
        raise malformed(_describe(line))


def malformed(reason: str) -> PeerError:
    """Return the error for bytes that are not HTTP/1.1."""
    message = f"its response is not HTTP/1.1: {reason}"
    return PeerError(message, answered=True)


def _describe(line: bytes) -> str:
    """Say what is no status line. Only a protocol is quoted: all else may be secret."""
    if line.startswith(_TLS_ALERT):
        return "it speaks TLS, and plain HTTP is needed"
    if match := _PROTOCOL.match(line):
        return f"it speaks {match[0].decode()}"
    return "it does not begin with a status line"
