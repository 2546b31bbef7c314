"""HTTP/1.1 as bytes: requests serialised, responses parsed. No socket in sight.

Parsing is llhttp's, through httptools, in its strict mode. What llhttp can't know is
added here: which method was asked (so whether a body follows), 1xx responses to be
swallowed, bodies that end with the connection, and limits on what is kept.

Core: no I/O.
"""

import math

import httptools

from lambda_adapter.errors import PeerError
from lambda_adapter.messages import Fields, Request, Response

MAX_HEAD = 131_072
"""Bytes of a status line and its fields, interim responses included. No gateway in
front of Lambda delivers a larger one: API Gateway stops at 10,240 bytes, ALB at 32 KB
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html)."""


def encode_head(request: Request) -> bytes:
    """Serialise the request line and the fields, exactly as given.

    https://www.rfc-editor.org/rfc/rfc9112#section-2.1
    """
    lines = [request.method + b" " + request.target + b" HTTP/1.1"]
    lines += [b": ".join(field) for field in request.fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


LAST_CHUNK = b"0\r\n\r\n"
"""https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""


def encode_chunk(data: bytes) -> bytes:
    """Frame a piece of a body. It must not be empty: that would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def encode_last_chunk(trailers: Fields) -> bytes:
    """End a body with a trailer section.

    https://www.rfc-editor.org/rfc/rfc9112#section-7.1.2
    """
    lines = [name + b": " + value + b"\r\n" for name, value in trailers]
    return b"0\r\n" + b"".join(lines) + b"\r\n"


class ResponseParser:
    """Parses one response: feed it bytes until it is ``complete``.

    The methods ``on_*`` are httptools' callbacks.
    """

    complete = False
    status = 0
    """That of the final response, once its head is in."""
    _seen = 0
    """Bytes until then."""
    _interim = 0
    """Bytes of interim responses among them."""
    _reason = b""
    _body_size = 0
    _body_seen = 0
    """Bytes of the body when the last piece of it came."""
    _framing = 0
    """Bytes since then."""
    _delimited = False
    _keep_alive = False
    _excess = False

    def __init__(self, method: bytes, max_body: float = math.inf) -> None:
        self._method = method
        self._max_body = max_body
        self._parser = httptools.HttpResponseParser(self)
        self._fields: Fields = []
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the connection, or ``b""`` for its end.

        Raises:
            PeerError: these bytes are not HTTP/1.1, or more than is taken, or the last.
        """
        if not data:
            self._feed_end()
            return
        if not self.status:
            self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.complete:  # what follows a response does not make it worse
                self._excess = True
            elif isinstance(error, httptools.HttpParserUpgrade):
                raise self._error("it switched protocols unasked") from None
            elif isinstance(error.__context__, PeerError):
                raise error.__context__ from None
            else:
                raise self._error(f"its answer is not HTTP/1.1: {error}") from None
        if not self.status:
            self._limit_head(self._seen)
        elif not self.complete:
            self._limit_framing(len(data))

    def _limit_framing(self, size: int) -> None:
        """Bear only so much that is neither head nor body: extensions, trailers."""
        if self._body_size > self._body_seen:
            self._body_seen = self._body_size
            self._framing = 0
        else:
            self._framing += size
        if self._framing > MAX_HEAD:
            raise self._error(f"over {MAX_HEAD:,} bytes of its answer are no body")

    def _feed_end(self) -> None:
        """The end of the connection ends a body of no stated length, and nothing else.

        https://www.rfc-editor.org/rfc/rfc9112#section-6.3
        """
        if not self._seen:
            raise self._error("it closed the connection without an answer")
        if not self.status:
            raise self._error("it closed the connection within the head of its answer")
        if self._delimited:
            raise self._error("it closed the connection within the body of its answer")
        self.complete = True
        self._keep_alive = False

    def response(self, body: bytes) -> Response:
        """Return the response, once its status is known, with this body."""
        return Response(self.status, self._reason, self._fields, body)

    def take_body(self) -> bytes:
        """Return what there is of the body, and let go of it."""
        body = b"".join(self._body)
        self._body.clear()
        return body

    @property
    def answered(self) -> bool:
        """Whether any byte of an answer has arrived."""
        return self._seen > 0

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request.

        https://www.rfc-editor.org/rfc/rfc9112#section-9.3
        """
        return self.complete and self._keep_alive and not self._excess

    def _head_size(self) -> int:
        size = len(self._reason) + len(b"HTTP/1.1 200 \r\n\r\n")
        lines = (
            len(name) + len(value) + len(b": \r\n") for name, value in self._fields
        )
        return size + sum(lines)

    def _limit_head(self, size: int) -> None:
        if size > MAX_HEAD:
            raise self._error(f"the head of its answer is over {MAX_HEAD:,} bytes")

    def _error(self, message: str) -> PeerError:
        return PeerError(message, answered=self.answered)

    def on_message_begin(self) -> None:
        """A response begins: ours, or one that nobody asked for."""
        if self.complete:
            self._excess = True
        elif self._reason or self._fields:  # those of an interim response
            self._reason, self._fields = b"", []

    def on_status(self, reason: bytes) -> None:
        """A piece of the reason phrase."""
        if not self.status:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field line; also one of the trailer section, which is dropped."""
        if not self.status:
            # https://www.rfc-editor.org/rfc/rfc9112#section-5.1: OWS is no part of it.
            self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is whole: now it is known how the body ends.

        https://www.rfc-editor.org/rfc/rfc9112#section-6.3
        """
        status = self._parser.get_status_code()
        if self.status:  # a response that nobody asked for
            return
        if self._seen > MAX_HEAD:  # a body may be part of that
            self._limit_head(self._interim + self._head_size())
        if 100 <= status < 200 and status != 101:
            self._interim += self._head_size()
            return
        if not 200 <= status <= 599:
            raise self._error(f"its status {status} is no final HTTP status")
        self.status = status
        # llhttp's answer is right within this callback and wrong after the message.
        self._keep_alive = self._parser.should_keep_alive()
        for name, value in self._fields:
            match name.lower():
                case b"transfer-encoding" if value.strip().lower() != b"chunked":
                    raise self._error("its Transfer-Encoding is not just chunked")
                case b"transfer-encoding" | b"content-length":
                    self._delimited = True
        if self._method == b"HEAD" or status in {204, 304}:
            self.complete = True

    def on_body(self, data: bytes) -> None:
        """A piece of the body, freed of its chunks."""
        if self.complete:
            self._excess = True
            return
        self._body_size += len(data)
        if self._body_size > self._max_body:
            raise BodyTooLargeError(
                f"the body of its answer is over {self._max_body:,} bytes"
            )
        self._body.append(data)

    def on_message_complete(self) -> None:
        """A response is whole; an interim one (1xx) does not count."""
        self.complete = self.complete or self.status > 0


class BodyTooLargeError(PeerError):
    """The peer sent more body than the limit: a fault of size, not of protocol."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=True)
