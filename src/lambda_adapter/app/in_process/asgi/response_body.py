"""The body of an ASGI response, held to its limit and to its declared length."""

from collections import deque

from lambda_adapter.app.in_process.asgi.messages import Start
from lambda_adapter.app.in_process.response import BODILESS


class BodyOverLimitError(Exception):
    """A body that is not streamed has more bytes than a reply can have."""


class Body:
    """The pieces that the application has sent and the transport has not taken.

    ``limit`` is the most bytes of all pieces together, None for a streamed body.
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
        # https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2: no content after HEAD,
        # although frameworks send what they would send after GET.
        if self._is_head or start.status in BODILESS:
            return
        self._size += len(piece)
        if self._limit is not None and self._size > self._limit:
            # Nobody will take them, and they are megabytes.
            self._pieces.clear()
            raise BodyOverLimitError
        # uvicorn raises here as well: a wrong length is a bug that would otherwise show
        # at the client, as a response that is cut or that never ends.
        if start.length is not None and (
            self._size > start.length or (not more and self._size < start.length)
        ):
            raise RuntimeError(
                f"the body has {self._size} bytes, and Content-Length is {start.length}"
            )
        if piece:
            self._pieces.append(piece)

    def take(self) -> bytes:
        """Return all bytes that have come, as one piece."""
        # Joining would copy the one piece that most bodies are: up to 6 MB.
        if len(self._pieces) == 1:
            return self._pieces.popleft()
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body
