"""Events that are not HTTP requests: POSTed to the application as they are."""

from typing import Self

import msgspec

from lambda_adapter.errors import AppRequestError
from lambda_adapter.events.body import buffered
from lambda_adapter.events.event import (
    Context,
    Event,
    added_fields,
    decode_as,
    request_context_field,
)
from lambda_adapter.events.headers import request_fields
from lambda_adapter.events.surrogates import is_json
from lambda_adapter.http.messages import Request, Response, decoded, name_request

ELSEWHERE = "; if it handles events at another path, set AWS_LWA_PASS_THROUGH_PATH"


class PassThroughEvent(Event, frozen=True):
    """An event of any other kind, kept as bytes."""

    payload: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Keep the payload unparsed."""
        return cls(payload)

    def request(self, context: Context) -> Request:
        """Return a POST of the event to the application's path for such events."""
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
            AppRequestError: the application rejected the event.
        """
        if response.status < 400:
            return
        name = name_request(request.method.decode(), request.target)
        status = f"{response.status} {response.reason.decode('latin-1')}".strip()
        message = f"the application responded to {name} with {status}"
        if response.status not in {404, 405}:
            raise AppRequestError(message)
        error = AppRequestError(message + ELSEWHERE)
        error.advice = ""
        raise error

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the body unchanged if it is JSON, else as a JSON string."""
        body = buffered(response)
        return _as_json(body) or msgspec.json.encode(decoded(body))

    @classmethod
    def remark(cls, response: Response, reply: bytes) -> str | None:
        """Return a warning if the reply differs from the application's response."""
        document = buffered(response).removeprefix(_MARK)
        if not document or reply == document:
            return None
        sent = "null" if reply == b"null" else "that in a JSON string"
        return (
            "the application's response to an event that is not HTTP is not JSON, so"
            f" the reply is {sent}; respond with JSON or with no body"
        )

    def _request_context(self) -> bytes:
        """Return ``null``, by which an application can tell such events from clients.

        A request that came over HTTP never has it, whatever its path.
        """
        return b"null"


class BatchEvent(PassThroughEvent, frozen=True):
    """A batch of items, whose source may read from the reply which of them failed."""

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the body unchanged if it is JSON, else ``null``: no item failed."""
        return _as_json(buffered(response)) or b"null"


_MARK = "\ufeff".encode()
"""The byte order mark: some programs write it before UTF-8, and a JSON parser need not
accept it, https://www.rfc-editor.org/rfc/rfc8259#section-8.1"""


def _as_json(body: bytes) -> bytes | None:
    """Return a body that is JSON, ``null`` for an empty one, None for any other."""
    document = body.removeprefix(_MARK)
    if not document:
        return b"null"
    return document if is_json(document) else None


class WebSocketEvent(PassThroughEvent, frozen=True):
    """A connection that opens or closes, or a message on it.

    The reply is the body of the application's response, as for any event that is not
    HTTP, so the application responds with ``{"statusCode": 200}`` to accept a
    connection.
    """

    def _request_context(self) -> bytes:
        return request_context_field(decode_as(self.payload, _Shape).request_context)


class _Shape(msgspec.Struct, rename="camel"):
    request_context: msgspec.Raw
