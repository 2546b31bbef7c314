"""A response in HTTP/1.1, parsed as it arrives. No socket in sight.

A response is a head (``head``), which says how its body ends (``framing``), and a body
(``response_body``, ``chunked``). Core: no I/O.
"""

import math

from lambda_adapter.http.framing import read_framing
from lambda_adapter.http.head import MAX_HEAD, Head, HeadReader
from lambda_adapter.http.messages import Fields, Response
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.http.response_body import Body


class ResponseParser:
    """Parses one response: feed it bytes until it is ``complete``.

    Interim responses (1xx) are dropped. A body of more than ``max_body`` bytes is an
    error.
    """

    complete = False
    status = 0
    """The final response's, once its head has come."""
    answered = False
    """Whether any byte of a response has come."""
    _body: Body | None = None
    _reason = b""
    _fields: Fields
    _persists = False
    _interim = 0
    """Bytes of interim responses."""
    _head_reader: HeadReader | None = None

    def __init__(self, method: bytes, max_body: float = math.inf) -> None:
        self._method = method
        self._max_body = max_body
        self._taken = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the connection, or ``b""`` for its end.

        Raises:
            PeerError: the bytes are not valid HTTP/1.1, exceed a limit, or end
                mid-response.
        """
        if not data:
            self._feed_end()
            return
        self.answered = True
        while self._body is None:
            self._head_reader = self._head_reader or HeadReader()
            if (read := self._head_reader.feed(data)) is None:
                return
            head, data = read
            self._take_head(head)
        if data:
            self._taken += self._body.feed(data)
            if len(self._taken) > self._max_body:
                raise self._too_large()
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

    def _take_head(self, head: Head) -> None:
        """Take a head for the final one's, or wait for another after an interim one.

        https://www.rfc-editor.org/rfc/rfc9110#section-15.2
        """
        if head.status == 101:
            raise PeerError("it switched protocols unasked", answered=True)
        if head.status < 100:
            message = f"its status {head.status} is no HTTP status"
            raise PeerError(message, answered=True)
        if head.status < 200:
            self._interim += head.size
            self._head_reader = HeadReader(MAX_HEAD - self._interim)
            return
        framing = read_framing(self._method, head)
        if framing.length > self._max_body:
            raise self._too_large()
        self.status = head.status
        self._reason = head.reason
        self._fields = framing.fields
        self._persists = framing.persists
        self._body = framing.body

    def response(self, body: bytes) -> Response:
        """Return the response, once its status is known, with this body."""
        return Response(self.status, self._reason, self._fields, body)

    def take_body(self) -> bytes:
        """Return what there is of the body, and let go of it."""
        body = bytes(self._taken)
        self._taken.clear()
        return body

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
    """The peer sent more body than the limit: a fault of size, not of protocol."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=True)
