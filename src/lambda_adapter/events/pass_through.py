"""Events that are not HTTP: SQS, SNS, S3, EventBridge, schedules, direct invocations.

They are POSTed to the application as they are. Core: no I/O.
"""

from typing import ClassVar, Self

from lambda_adapter.errors import AppRequestError
from lambda_adapter.events.body import buffered
from lambda_adapter.events.event import Event
from lambda_adapter.events.fields import Context, added_fields, request_fields
from lambda_adapter.messages import Request, Response


class PassThroughEvent(Event, frozen=True):
    """An event as bytes, whatever it is."""

    is_http: ClassVar[bool] = False

    payload: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Take the event as it is."""
        return cls(payload)

    def request(self, context: Context) -> Request:
        """Return the event in a POST to the application's path for such events."""
        fields = request_fields(
            [("content-type", "application/json")],
            method=b"POST",
            body=self.payload,
            added=added_fields(context, self._request_context()),
        )
        return Request(b"POST", context.pass_through_path, fields, self.payload)

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the body as it is, or ``null`` in place of none.

        Raises:
            AppRequestError: the application refused the event. Its source is to know,
                and to send it again.
        """
        if response.status >= 400:
            status = f"{response.status} {response.reason.decode('latin-1')}".strip()
            raise AppRequestError(f"the application answered the event with {status}")
        return buffered(response) or b"null"

    def _request_context(self) -> bytes:
        """Return ``null``: what comes over HTTP never has that, whatever its path."""
        return b"null"
