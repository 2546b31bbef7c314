"""The body of a response that comes in chunks.

https://www.rfc-editor.org/rfc/rfc9112#section-7.1. Core: no I/O.
"""

import re

from lambda_adapter.http.head import check_field
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.http.response_body import Delimited
from lambda_adapter.http.status_line import malformed

MAX_FRAMING = 131_072
"""Bytes in a row that are neither head nor body: chunk extensions and trailers."""

_SIZE = rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n"
"""https://www.rfc-editor.org/rfc/rfc9112#section-7.1.1: a chunk's size and extensions,
which mean nothing here, with white space around them. A bare line feed is refused: not
all readers take it for the line's end, and that is where the chunk begins."""

_match_first_line = re.compile(_SIZE).match
_match_next_line = re.compile(rb"\r\n" + _SIZE).match
_BEGUN = re.compile(rb"(?:\r\n?)?[0-9A-Fa-f]{0,16}[ \t]*\r?(?:(?<!\r);.*)?", re.DOTALL)
"""What can still become either."""

_BEGINNING = 24
"""Bytes that are more than a line break and a size."""


class ChunkedBody(Delimited):
    """A body in chunks: https://www.rfc-editor.org/rfc/rfc9112#section-7.1."""

    def __init__(self) -> None:
        self._match_line = _match_first_line
        self._left = 0
        """Bytes to come of the present chunk."""
        self._in_trailers = False
        self._held = bytearray()
        """A line that is not whole yet."""
        self._framing = 0
        """Bytes of whole lines since the last byte of the body."""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body, without sizes, extensions and trailers."""
        if self._held:
            if b"\n" not in data:  # no line ends here
                self._hold(data)
                return b""
            data = bytes(self._held) + data
            self._held.clear()
        body, start = self._read_chunks(data)
        if self._in_trailers:
            start = self._read_trailers(data, start)
        if self.complete:
            self.excess = start < len(data)
        else:
            self._hold(data[start:])
        return body

    def _read_chunks(self, data: bytes) -> tuple[bytes, int]:
        """Return what the chunks hold, and where in ``data`` they end."""
        pieces: list[bytes] = []
        start, left = 0, self._left
        while not self._in_trailers:
            if left:
                end = start + left
                pieces.append(data[start:end])
                left = max(end - len(data), 0)
                start = end - left
                self._framing = 0
                if left:
                    break
            match = self._match_line(data, start)
            if match is None:
                _check_begun(data[start:])
                break
            self._match_line = _match_next_line
            self._framing += match.end() - start
            start = match.end()
            left = int(match[1], 16)
            self._in_trailers = not left
        self._left = left
        return b"".join(pieces), start

    def _read_trailers(self, data: bytes, start: int) -> int:
        """Look at the trailers, which are dropped, and return where they end.

        https://www.rfc-editor.org/rfc/rfc9112#section-7.1.2
        """
        while (end := data.find(b"\n", start)) != -1 and not self.complete:
            line = data[start:end]
            if not line.endswith(b"\r"):
                raise malformed("a trailer ends in a bare line feed")
            if line == b"\r":
                self.complete = True
            else:
                check_field(line[:-1])
            self._framing += end + 1 - start
            start = end + 1
        return start

    def _hold(self, line: bytes) -> None:
        """Keep the beginning of a line, and limit what is neither head nor body."""
        self._held += line
        if self._framing + len(self._held) > MAX_FRAMING:
            message = (
                f"its response has more than {MAX_FRAMING:,} bytes of chunk extensions"
                " and trailers"
            )
            raise PeerError(message, answered=True)


def _check_begun(line: bytes) -> None:
    """Refuse what can't become the line between two chunks, whatever follows."""
    if b"\n" in line[2:] or not _BEGUN.fullmatch(line[:_BEGINNING]):
        raise malformed("the size of a chunk is invalid")
