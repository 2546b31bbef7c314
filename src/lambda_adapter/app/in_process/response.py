"""Responses of applications in this process: their checks, failures and progress."""

import enum
import http
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Self

from lambda_adapter.app.app import Call
from lambda_adapter.errors import AppFailedError, ResponseTooLargeError
from lambda_adapter.events.event import error_response
from lambda_adapter.http.messages import (
    TOKEN,
    Fields,
    Parts,
    Request,
    Response,
    name_request,
)
from lambda_adapter.observe.logs import describe_error, log

STUCK = "this environment ends, so that no request is worked on behind the next client"
"""What an ``AppStuckError`` says at its end."""

CLEAN_UP = 0.05
"""Seconds that an application has to end after it was given up. By default that is half
of the time that is left until Lambda's deadline."""


class Progress(enum.Enum):
    """How far the response has come; the last three are final.

    ::

        WAITING ──▶ STREAMING ──▶ COMPLETE
           ├──▶ COMPLETE   └────▶ FAILED
           ├──▶ FAILED
           └──▶ TOO_LARGE
    """

    WAITING = enum.auto()
    """Nothing can be sent to Lambda yet."""
    STREAMING = enum.auto()
    """The head and the first piece can be sent: only of a streamed response."""
    COMPLETE = enum.auto()
    """The application has sent all of it."""
    FAILED = enum.auto()
    """The application has ended without sending all of it."""
    TOO_LARGE = enum.auto()
    """The body has more bytes than a reply can have."""


class Pieces:
    """A streamed body; a next piece of ``b""`` is its end."""

    def __init__(
        self,
        next_piece: Callable[[], Awaitable[bytes]],
        give_up_rest: Callable[[], None],
    ) -> None:
        self._next_piece = next_piece
        self._give_up_rest = give_up_rest

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Parts:
        piece = await self._next_piece()
        if not piece:
            raise StopAsyncIteration
        return (piece,)

    async def aclose(self) -> None:
        """Give up what has not been sent yet, if anything."""
        self._give_up_rest()


def failure_response(call: Call) -> Response:
    """Return the 500 for an application that raised, or sent no whole response."""
    # A response, as a server would send it, and not an error, so that
    # AWS_LWA_ERROR_STATUS_CODES applies to it.
    error = AppFailedError("the application failed")
    return error_response(error, call.invocation.request_id)


def name_call(call: Call, request: Request) -> str:
    """Return ``METHOD PATH`` for the log, as the client sent it where one did."""
    if call.request:
        return call.subject
    return name_request(request.method.decode(), request.target)


def log_failure(subject: str, error: BaseException | None, when: str = "") -> None:
    """Log that an application failed, with the traceback of its error.

    Without an error, it ended without a whole response.
    """
    ended = "the application ended without a whole response"
    what = describe_error(error) if error else ended
    log.error("%s", AppFailedError(what + when).line(subject), exc_info=error)


def too_large(call: Call) -> ResponseTooLargeError:
    """Return the error for a body that exceeded the limit."""
    return ResponseTooLargeError(
        f"the application's response is too large: over {call.max_body:,} bytes"
    )


BODILESS = frozenset({204, 304})
"""Statuses without content: https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1-8"""

REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}
"""https://www.rfc-editor.org/rfc/rfc9110#section-15"""

MAX_FIELDS = 131_072
"""Most bytes of headers; gateways deliver far fewer: see ``http.head``."""

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.5"""

_LENGTH = re.compile(rb"[0-9]{1,18}")


def check_status(status: object) -> int:
    """Return the status of a final response.

    Raises:
        ValueError, TypeError: it is not such a status.
    """
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"the status is a {type(status).__name__}, not an int")
    if not 200 <= status <= 999:
        raise ValueError(f"{status} is not the status of a final response")
    return status


def check_fields(fields: object) -> Fields:
    """Check headers, and return them: valid names, values of one line.

    Raises:
        ValueError, TypeError: a header can't be sent.
    """
    checked: Fields = []
    size = 0
    if not isinstance(fields, Iterable):
        raise TypeError(f"the header fields are a {type(fields).__name__}")
    for name, value in fields:
        if not (isinstance(name, bytes) and isinstance(value, bytes)):
            raise TypeError(f"the header field {name!r} is not a pair of bytes")
        if not TOKEN.fullmatch(name):
            raise ValueError(f"{name[:100]!r} is not the name of a header field")
        if _FORBIDDEN.search(value):
            raise ValueError(f"the header field {name!r} has a control character")
        size += len(name) + len(value)
        checked.append((name, value.strip(b" \t")))
    if size > MAX_FIELDS:
        raise ValueError(f"the header fields have more than {MAX_FIELDS:,} bytes")
    return checked


def content_length(fields: Fields) -> int | None:
    """Return the declared length, None if there is none.

    Raises:
        ValueError: the length is invalid, or there are several.
    """
    values = {value for name, value in fields if name.lower() == b"content-length"}
    if not values:
        return None
    if len(values) > 1 or not _LENGTH.fullmatch(value := values.pop()):
        raise ValueError("Content-Length is not one number")
    return int(value)
