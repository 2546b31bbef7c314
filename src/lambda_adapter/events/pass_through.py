"""Events that are not HTTP: SQS, SNS, S3, EventBridge, schedules, direct invocations.

They are POSTed to the application as they are. Core: no I/O.
"""

from typing import Self

from lambda_adapter.errors import AppRequestError
from lambda_adapter.events.body import buffered
from lambda_adapter.events.context import Context, added_fields
from lambda_adapter.events.event import Event
from lambda_adapter.events.fields import request_fields
from lambda_adapter.http.messages import Request, Response

ELSEWHERE = "; if it takes events elsewhere, set AWS_LWA_PASS_THROUGH_PATH"


class PassThroughEvent(Event, frozen=True):
    """An event as bytes, whatever it is."""

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
            host=context.host,
            added=added_fields(context, self._request_context()),
        )
        return Request(b"POST", context.pass_through_path, fields, self.payload)

    @classmethod
    def check_response(cls, request: Request, response: Response) -> None:
        """Fail the event on a status of 400 or above, so that its source redelivers it.

        Raises:
            AppRequestError: the application refused the event.
        """
        if response.status < 400:
            return
        path = request.target.partition(b"?")[0].decode("latin-1")
        status = f"{response.status} {response.reason.decode('latin-1')}".strip()
        advice = ELSEWHERE if response.status in {404, 405} else ""
        raise AppRequestError(
            f"the application responded to POST {path} with {status}{advice}"
        )

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the body as it is, or ``null`` in place of none."""
        return buffered(response) or b"null"

    def _request_context(self) -> bytes:
        """Return ``null``: what comes over HTTP never has that, whatever its path."""
        return b"null"
