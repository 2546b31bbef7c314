"""The body of a response, as far as an application has sent it. Core: no I/O."""

from collections import deque

from lambda_adapter.apps.asgi.messages import Start
from lambda_adapter.apps.response_head import BODILESS


class BodyOverLimitError(Exception):
    """A body that is not streamed has more bytes than a reply can have."""


class Body:
    """The pieces that nobody has taken yet.

    ``limit`` is how many bytes there may be in all, None if they are streamed. The
    response to HEAD has no body: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
    """

    def __init__(self, *, is_head: bool, limit: int | None) -> None:
        self._is_head = is_head
        self._limit = limit
        self._size = 0
        self._pieces: deque[bytes] = deque()

    def __bool__(self) -> bool:
        """Return whether there is a piece to take."""
        return bool(self._pieces)

    def add(self, start: Start, piece: bytes, *, more: bool) -> None:
        """Add a piece, unless the response has no body.

        Raises:
            BodyOverLimitError: there are too many bytes.
            RuntimeError: there are more than were declared, or fewer at the end.
        """
        if self._is_head or start.status in BODILESS:
            return
        self._size += len(piece)
        if self._limit is not None and self._size > self._limit:
            self._pieces.clear()  # of no use any more, and megabytes
            raise BodyOverLimitError
        if start.length is not None and (
            self._size > start.length or (not more and self._size < start.length)
        ):
            raise RuntimeError(
                f"the body has {self._size} bytes, and Content-Length is {start.length}"
            )
        if piece:
            self._pieces.append(piece)

    def take(self) -> bytes:
        """Return all that there is, in one piece."""
        if len(self._pieces) == 1:
            return self._pieces.popleft()
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body
