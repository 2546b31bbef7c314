"""Parsers of bodies, one for each way in which HTTP/1.1 can frame them.

https://www.rfc-editor.org/rfc/rfc9112#section-6.3
"""

import re
from typing import Protocol

from lambda_adapter.errors import PeerError
from lambda_adapter.http.head import check_field, malformed
from lambda_adapter.http.messages import Parts


class Body(Protocol):
    """A parser of one body, fed with bytes."""

    complete: bool
    """Whether the body is whole."""
    excess: bool
    """Whether bytes arrived after its end."""

    def feed(self, data: bytes) -> Parts:
        """Parse the next bytes, and return those that belong to the body.

        Large parts are views of ``data``.

        Raises:
            PeerError: the bytes are not framed as the head declared.
        """

    def feed_end(self) -> None:
        """Handle the end of the connection.

        Raises:
            PeerError: the body is truncated.
        """


class Delimited:
    """A body that must be complete before the connection ends."""

    complete = False
    excess = False

    def feed_end(self) -> None:
        """Refuse the end of the connection.

        Raises:
            PeerError: always: the body is truncated.
        """
        message = "it closed the connection within the body of its response"
        raise PeerError(message, answered=True)


class NoBody(Delimited):
    """No body: the response ends with its head."""

    complete = True

    def feed(self, data: bytes) -> Parts:
        """Return nothing; any byte is in excess."""
        self.excess = self.excess or bool(data)
        return ()


class LengthBody(Delimited):
    """A body of a declared length."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length

    def feed(self, data: bytes) -> Parts:
        """Return the bytes up to the declared length."""
        if len(data) > self._left:
            data = data[: self._left]
            self.excess = True
        self._left -= len(data)
        self.complete = not self._left
        return (data,)


class UntilEndBody:
    """A body that ends when the connection is closed."""

    complete = False
    excess = False

    def feed(self, data: bytes) -> Parts:
        """Return the bytes unchanged."""
        return (data,)

    def feed_end(self) -> None:
        """End the body."""
        self.complete = True


MAX_FRAMING = 131_072
"""Most consecutive bytes of chunk extensions and trailers."""

LEAST_VIEW = 4_096
"""Smallest chunk to pass on as a view. A smaller one is copied: a view takes 184
bytes itself."""

MOST_PARTS = 64
"""Most parts to pass on; more are joined. One system call sends up to 1,024 parts:
https://man7.org/linux/man-pages/man2/sendmsg.2.html, EMSGSIZE"""

# https://www.rfc-editor.org/rfc/rfc9112#section-7.1.1: a chunk's size and extensions,
# which are ignored, with white space around them. A bare line feed is refused: parsers
# disagree on whether it ends the line, and so on where the chunk begins. 16 digits are
# 64 bits, as in llhttp.
_SIZE = rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n"

_match_first_line = re.compile(_SIZE).match
_match_next_line = re.compile(rb"\r\n" + _SIZE).match
_BEGUN = re.compile(rb"(?:\r\n?)?[0-9A-Fa-f]{0,16}[ \t]*\r?(?:(?<!\r);.*)?", re.DOTALL)
"""Bytes that can still become such a line."""

_BEGINNING = 24
"""Bytes that are checked of an incomplete line: more than a line break and a size."""


class ChunkedBody(Delimited):
    """A body in chunks: https://www.rfc-editor.org/rfc/rfc9112#section-7.1."""

    def __init__(self) -> None:
        self._match_line = _match_first_line
        self._left = 0
        """Bytes still to come of the current chunk."""
        self._in_trailers = False
        self._held = bytearray()
        """An incomplete line, buffered until the rest arrives."""
        self._framing = 0
        """Bytes of complete lines since the last byte of the body."""

    def feed(self, data: bytes) -> Parts:
        """Return the bytes of the body, without sizes, extensions and trailers."""
        # An incomplete line is kept and parsed again with the bytes that follow. Chunks
        # themselves are never buffered: their bytes are returned as they arrive.
        if self._held:
            # Joining with every piece would be quadratic in a long line that arrives
            # byte by byte; without a line feed, nothing new can be parsed.
            if b"\n" not in data:
                self._hold(data)
                return ()
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

    def _read_chunks(self, data: bytes) -> tuple[Parts, int]:
        """Return the content of the chunks, and where in ``data`` they end."""
        parts: list[bytes | memoryview] = []
        # One match per chunk: except for the first, the pattern also covers the line
        # break after the chunk before, so that no step is needed for it.
        start, left = 0, self._left
        while not self._in_trailers:
            if left:
                end = start + left
                is_small = left < LEAST_VIEW
                parts.append((data if is_small else memoryview(data))[start:end])
                # A slice ends where the data ends, so the chunk may be incomplete.
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
        if len(parts) > MOST_PARTS:
            parts = [b"".join(parts)]
        return parts, start

    def _read_trailers(self, data: bytes, start: int) -> int:
        """Check the trailers, drop them, and return where they end.

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
        """Buffer an incomplete line; limit the bytes of extensions and trailers."""
        self._held += line
        if self._framing + len(self._held) > MAX_FRAMING:
            message = (
                f"its response has more than {MAX_FRAMING:,} bytes of chunk extensions"
                " and trailers"
            )
            raise PeerError(message, answered=True)


def _check_begun(line: bytes) -> None:
    """Refuse bytes that can't become a line between chunks, whatever follows."""
    # Without this check, a peer that never sends a line feed would be waited for until
    # the deadline, and its client would get a 504 for what is a 502.
    if b"\n" in line[2:] or not _BEGUN.fullmatch(line[:_BEGINNING]):
        raise malformed("the size of a chunk is invalid")
