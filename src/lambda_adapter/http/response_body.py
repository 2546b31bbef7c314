"""The body of a response: where it ends, by one of four rules.

Each (https://www.rfc-editor.org/rfc/rfc9112#section-6.3) is a type: there is none, it
has a stated length, it comes in chunks (``chunked``), or it ends with its connection.
Core: no I/O.
"""

from typing import Protocol

from lambda_adapter.http.peer_error import PeerError


class Body(Protocol):
    """Takes bytes up to the end of a body."""

    complete: bool
    """Whether the body is whole."""
    excess: bool
    """Whether more came than that."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, and return those of them that are the body's.

        Raises:
            PeerError: they are not framed as the head said.
        """

    def feed_end(self) -> None:
        """Take the end of the connection.

        Raises:
            PeerError: it cuts the body off.
        """


class Delimited:
    """A body whose end does not depend on the connection's."""

    complete = False
    excess = False

    def feed_end(self) -> None:
        """Refuse.

        Raises:
            PeerError: always.
        """
        message = "it closed the connection within the body of its response"
        raise PeerError(message, answered=True)


class NoBody(Delimited):
    """The head is all there is."""

    complete = True

    def feed(self, data: bytes) -> bytes:
        """Return nothing; any byte is too much."""
        self.excess = self.excess or bool(data)
        return b""


class LengthBody(Delimited):
    """A body of so many bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length

    def feed(self, data: bytes) -> bytes:
        """Return the bytes up to the stated length."""
        if len(data) > self._left:
            data = data[: self._left]
            self.excess = True
        self._left -= len(data)
        self.complete = not self._left
        return data


class UntilEndBody:
    """A body that goes on until the connection is closed."""

    complete = False
    excess = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes as they are."""
        return data

    def feed_end(self) -> None:
        """End the body."""
        self.complete = True
