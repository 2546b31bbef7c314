"""The base class of all events, and the context added to each request."""

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
    """What the adapter adds to a request, in addition to the event."""

    lambda_context: bytes
    """JSON, from ``runtime.context.encode_lambda_context``."""
    trace_id: bytes = b""
    tenant_id: bytes = b""
    pass_through_path: bytes = b"/events"
    host: bytes = b"localhost"
    """The application's own host, for events that have none."""
    request_id: bytes = b""


def added_fields(context: Context, request_context: bytes) -> Fields:
    """Return the headers that only the adapter may set."""
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
"""Largest buffered reply, in bytes: 6 MB and 100 bytes. Lambda answers a larger one
with 413, "Exceeded maximum allowed payload size (6291556 bytes)", and the invocation
fails:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

MAX_FIELDS = 10_240
"""Most bytes of headers that API Gateway accepts; above that, its client gets a 5xx
without a reason: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


class Event(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A decoded event. Attributes have AWS's names, in snake case.

    ``gc=False``: an event cannot be part of a reference cycle.
    """

    is_http: ClassVar[bool] = False
    """Whether the source expects an HTTP response, even when something fails."""

    streams: ClassVar[bool] = False
    """Whether the source accepts a streamed reply. Any other source would take the
    prelude of a stream for garbage: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html"""

    max_reply: ClassVar[int] = MAX_REPLY
    """Largest reply that the source accepts, in bytes of JSON."""

    max_fields: ClassVar[float] = math.inf
    """Most bytes of response headers that the gateway accepts."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Decode an event of this kind.

        Raises:
            EventError: a value has the wrong type.
        """
        return decode_as(payload, cls)

    def request(self, context: Context) -> Request:
        """Return the request for the application.

        Raises:
            EventError: the event cannot be expressed as an HTTP request.
        """
        raise NotImplementedError

    @classmethod
    def check_response(cls, request: Request, response: Response) -> None:
        """Check the response to an event that is not HTTP; some kinds refuse some.

        Raises:
            InvocationError: the response means that the event has failed.
        """

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply in the format that the source expects."""
        raise NotImplementedError

    @classmethod
    def remark(cls, response: Response, reply: bytes) -> str | None:
        """Return a warning to log once about this reply, None in most cases."""

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return the prelude of a streamed reply, for kinds that can stream."""
        raise NotImplementedError


T = TypeVar("T")


def decode_as(document: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decode JSON as a ``kind``.

    Raises:
        EventError: the document is not JSON, is nested too deeply (about a thousand
            levels), or does not have the shape of ``kind``.
    """
    try:
        return msgspec.json.decode(document, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError(f"the event can't be read: {error}") from None
    except RecursionError:
        raise EventError("the event is nested too deeply to be read") from None


def request_context_field(document: msgspec.Raw) -> bytes:
    """Return the event's ``requestContext`` as a valid header value.

    An event without one gets ``{}``: ``null`` marks non-HTTP events, so a client's
    request must never carry it.

    Raises:
        EventError: the document is not UTF-8.
    """
    try:
        return ascii_json(b"{}" if document == NULL else bytes(document))
    except UnicodeDecodeError as error:
        raise EventError(f"the event's requestContext is not UTF-8: {error}") from None


def error_response(error: InvocationError, request_id: str) -> Response:
    """Return the HTTP response that reports a failure, with the ID to look it up by."""
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
