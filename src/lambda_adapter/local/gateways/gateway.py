"""What every gateway can do. Core: no I/O."""

from typing import ClassVar

import msgspec

from lambda_adapter.http.messages import Fields, Response
from lambda_adapter.local.gateways.arrival import Arrival, Stamp

MAX_EVENT = 6_291_456
"""Bytes of an event's JSON:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class RefusedError(Exception):
    """The gateway responds by itself, and Lambda is not asked."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with {response.status}")
        self.response = response


class MalformedReplyError(Exception):
    """A reply that the gateway cannot make a response of, and why."""


class Gateway:
    """One way in. ``stage`` is API Gateway's; only REST APIs have binary types."""

    name: ClassVar[str]
    max_body: ClassVar[int]
    """Bytes of a request's body."""
    timeout: ClassVar[float] = 900
    """Seconds until the gateway gives up; Lambda's own longest, where it never does."""
    streams: ClassVar[bool] = False

    def __init__(
        self, stage: str = "$default", binary_media_types: tuple[str, ...] = ()
    ) -> None:
        self.stage = stage
        self.binary_media_types = binary_media_types

    def event(self, arrival: Arrival, stamp: Stamp) -> dict[str, object]:
        """Return the event that a request becomes.

        Raises:
            RefusedError: the gateway does not pass the request on.
        """
        raise NotImplementedError

    def response(self, reply: bytes, arrival: Arrival) -> Response:
        """Return the response that a whole reply becomes.

        Raises:
            MalformedReplyError: it becomes none.
        """
        raise NotImplementedError

    def streamed_response(self, prelude: bytes) -> Response:
        """Return the head of the response that a streamed reply becomes.

        Raises:
            MalformedReplyError: it becomes none, or this gateway does not stream.
        """
        raise MalformedReplyError(f"{self.name} takes no streamed reply")

    def failure(self) -> Response:
        """Return the response where the function failed, or its reply is malformed."""
        raise NotImplementedError

    def late(self) -> Response:
        """Return the response where the gateway's own time limit was passed."""
        return self.failure()

    def too_large(self) -> Response:
        """Return the response to a body that is too large."""
        return json_response(413, b'{"message":"Request Too Long"}')

    def payload(self, arrival: Arrival, stamp: Stamp) -> bytes:
        """Return the event as Lambda delivers it.

        Raises:
            RefusedError: the gateway does not pass the request on.
        """
        if len(arrival.body) > self.max_body:
            raise RefusedError(self.too_large())
        payload = msgspec.json.encode(self.event(arrival, stamp))
        if len(payload) > MAX_EVENT:
            raise RefusedError(self.too_large())
        return payload


def json_response(status: int, body: bytes) -> Response:
    """Return a response of a gateway's own."""
    fields: Fields = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    return Response(status, b"", fields, body)
