"""What all events have in common, and the context that the application gets."""

import math
from typing import ClassVar, Self, TypeVar

import msgspec

from lambda_adapter.errors import EventError, InvocationError
from lambda_adapter.events.headers import (
    LAMBDA_CONTEXT,
    REQUEST_CONTEXT,
    REQUEST_ID,
    TENANT_ID,
    TRACE_ID,
)
from lambda_adapter.http.messages import Fields, Request, Response, ascii_json


class Context(msgspec.Struct, frozen=True, gc=False):
    """What the adapter adds to a request, beside the event."""

    lambda_context: bytes
    """JSON, as ``runtime.context.encode_lambda_context`` makes it."""
    trace_id: bytes = b""
    tenant_id: bytes = b""
    pass_through_path: bytes = b"/events"
    host: bytes = b"localhost"
    """The application's own, for events that have none."""
    request_id: bytes = b""


def added_fields(context: Context, request_context: bytes) -> Fields:
    """Return the fields that only the adapter may set."""
    added = [
        (REQUEST_CONTEXT, request_context),
        (LAMBDA_CONTEXT, context.lambda_context),
    ]
    if context.request_id:
        added.append((REQUEST_ID, context.request_id))
    if context.trace_id:
        added.append((TRACE_ID, context.trace_id))
    if context.tenant_id:
        added.append((TENANT_ID, context.tenant_id))
    return added


NULL = msgspec.Raw(b"null")

MAX_REPLY = 6_291_556
"""Bytes of a buffered reply: 6 MB and 100 bytes. More gets a 413, "Exceeded
maximum allowed payload size (6291556 bytes)", and the invocation has failed:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

MAX_FIELDS = 10_240
"""Bytes of header fields that API Gateway takes; with more, its client gets a 5xx that
says nothing. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


class Event(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A decoded event. Fields have AWS's names, in this language's spelling.

    ``gc=False``: an event cannot be part of a reference cycle.
    """

    is_http: ClassVar[bool] = False
    """Whether a client waits for an HTTP response, failures included."""

    streams: ClassVar[bool] = False
    """Whether its source can take a body piece by piece. A prelude would be garbage to
    any other: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html"""

    max_reply: ClassVar[int] = MAX_REPLY
    """Bytes of a reply, as JSON, that its source takes."""

    max_fields: ClassVar[float] = math.inf
    """Bytes of a response's fields that its gateway takes."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read an event of this kind.

        Raises:
            EventError: it has this kind's shape, and yet a value of the wrong type.
        """
        return decode_as(payload, cls)

    def request(self, context: Context) -> Request:
        """Return the request to the application.

        Raises:
            EventError: the event cannot be expressed as an HTTP request.
        """
        raise NotImplementedError

    @classmethod
    def check_response(cls, request: Request, response: Response) -> None:
        """Accept any response, as HTTP events do; other kinds refuse some.

        Raises:
            InvocationError: the response means that the event has failed.
        """

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply, as the source of such events wants it."""
        raise NotImplementedError

    @classmethod
    def remark(cls, response: Response, reply: bytes) -> str | None:
        """Return what is worth a line in the log, once, about a reply; mostly None."""

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return what comes before a streamed body, if this kind ``streams``."""
        raise NotImplementedError


T = TypeVar("T")


def decode_as(document: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Read JSON as a ``kind``.

    Raises:
        EventError: it is not JSON, too deep (about a thousand levels), or no ``kind``.
    """
    try:
        return msgspec.json.decode(document, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError(f"the event can't be read: {error}") from None
    except RecursionError:
        raise EventError("the event is nested too deeply to be read") from None


def request_context_field(document: msgspec.Raw) -> bytes:
    """Return the event's own ``requestContext``, safe to stand in a field.

    An event without one gets ``{}``: ``null`` marks non-HTTP events, so a client's
    request must never carry it.

    Raises:
        EventError: it is not UTF-8.
    """
    try:
        return ascii_json(b"{}" if document == NULL else bytes(document))
    except UnicodeDecodeError as error:
        raise EventError(f"the event's requestContext is not UTF-8: {error}") from None


def error_response(error: InvocationError, request_id: str) -> Response:
    """Return what an HTTP client is told of a failure, and where to look it up."""
    body = msgspec.json.encode(
        {
            "message": error.public,
            "errorType": error.error_type,
            "requestId": request_id,
        }
    )
    fields = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    return Response(error.status, error.reason, fields, body)
