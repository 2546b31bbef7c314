"""The base of all gateways, and the values they work on."""

from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from lambda_adapter.http.messages import (
    Fields,
    Response,
    decoded,
    end_to_end,
)

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class ClientRequest(msgspec.Struct, frozen=True):
    """A request as its client sent it."""

    method: str
    path: str
    """As sent, still encoded, without the query."""
    query: str
    """As sent; empty if there is none."""
    fields: Fields
    body: bytes = b""
    client: str = "127.0.0.1"
    port: int = 9000
    scheme: str = "http"
    """The client's protocol: HTTP here, HTTPS at AWS's gateways."""

    @property
    def title(self) -> str:
        """Method and target, for people."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")

    def value(self, name: bytes) -> str:
        """Return the first value of a header, or ""."""
        for each, value in self.fields:
            if each.lower() == name:
                return decoded(value)
        return ""


class EventMeta(msgspec.Struct, frozen=True):
    """The clock and the ids of one event."""

    time_ms: int
    """Milliseconds since the epoch."""
    request_id: str
    trace_id: str
    """Such as 1-6aaf0c1a-0123456789abcdef01234567."""

    @property
    def clf(self) -> str:
        """The time in the Common Log Format, as API Gateway writes it."""
        moment = datetime.fromtimestamp(self.time_ms / 1000, UTC)
        return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def passed_on(arrival: ClientRequest) -> list[tuple[str, str]]:
    """Return the headers that are not for one connection only."""
    kept = end_to_end(arrival.fields)
    return [(name.decode(), decoded(value)) for name, value in kept]


def forwarded(arrival: ClientRequest, stamp: EventMeta) -> list[tuple[str, str]]:
    """Return the headers with those that a gateway adds about its client.

    The protocol is ``http``, as it is here, although API Gateway and function
    URLs speak only HTTPS:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    before: list[str] = []
    rest: list[tuple[str, str]] = []
    for name, value in passed_on(arrival):
        match name.lower():
            case "x-forwarded-for":
                before.append(value)
            case "x-forwarded-port" | "x-forwarded-proto" | "x-amzn-trace-id":
                pass
            case _:
                rest.append((name, value))
    return [
        *rest,
        ("X-Forwarded-For", ", ".join([*before, arrival.client])),
        ("X-Forwarded-Port", str(arrival.port)),
        ("X-Forwarded-Proto", arrival.scheme),
        ("X-Amzn-Trace-Id", f"Root={stamp.trace_id}"),
    ]


MAX_EVENT = 6_291_456
"""Most bytes of an event's JSON:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class RefusedError(Exception):
    """The gateway responds by itself, without invoking the function."""

    def __init__(self, response: Response, why: str) -> None:
        super().__init__(why)
        self.response = response


class MalformedReplyError(Exception):
    """The gateway can't turn the reply into a response; the message has the reason."""


class Gateway:
    """A gateway. ``stage`` is API Gateway's; only REST APIs have binary types."""

    name: ClassVar[str]
    max_body: ClassVar[int]
    """Most bytes of a request's body."""
    timeout: ClassVar[float] = 900
    """The gateway's timeout in seconds; Lambda's longest one if it has none."""
    streams: ClassVar[bool] = False

    def __init__(
        self, stage: str = "$default", binary_media_types: tuple[str, ...] = ()
    ) -> None:
        self.stage = stage
        self.binary_media_types = binary_media_types

    def event(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        """Return the event for a request.

        Raises:
            RefusedError: the gateway does not forward the request.
        """
        raise NotImplementedError

    def response(self, reply: bytes, arrival: ClientRequest) -> Response:
        """Return the response for a whole reply.

        Raises:
            MalformedReplyError: the reply is not valid.
        """
        raise NotImplementedError

    def streamed_response(self, prelude: bytes) -> Response:
        """Return the head of the response for a streamed reply.

        Raises:
            MalformedReplyError: the prelude is invalid, or this gateway does not
                stream.
        """
        raise MalformedReplyError(f"{self.name} accepts no streamed reply")

    def failure(self) -> Response:
        """Return the response if the function failed, or its reply is malformed."""
        raise NotImplementedError

    def late(self) -> Response:
        """Return the response if the gateway timed out."""
        return self.failure()

    def too_large(self) -> Response:
        """Return the response to a body that is too large."""
        return json_response(413, b'{"message":"Request Too Long"}')

    def payload(self, arrival: ClientRequest, stamp: EventMeta) -> bytes:
        """Return the event as Lambda delivers it.

        Raises:
            RefusedError: the gateway does not forward the request.
        """
        if len(arrival.body) > self.max_body:
            why = f"its body is over {self.max_body:,} bytes"
            raise RefusedError(self.too_large(), why)
        payload = msgspec.json.encode(self.event(arrival, stamp))
        if len(payload) > MAX_EVENT:
            why = f"its event of {len(payload):,} bytes is over {MAX_EVENT:,}"
            raise RefusedError(self.too_large(), why)
        return payload


def json_response(status: int, body: bytes) -> Response:
    """Return a gateway's own response."""
    fields: Fields = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    return Response(status, b"", fields, body)
