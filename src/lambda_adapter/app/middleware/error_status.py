"""AWS_LWA_ERROR_STATUS_CODES: fail the invocation on some statuses."""

import contextlib
from collections.abc import Set as AbstractSet

import msgspec

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.errors import AppStatusError
from lambda_adapter.http.messages import Request, Response

MAX_REPORTED_BODY = 8_192
"""Most bytes of a body that an error reports. As JSON they are at most six times as
many, which is within an error's own limit."""


class ErrorStatus(Middleware):
    """Turns responses with one of these statuses into errors."""

    def __init__(self, transport: Transport, statuses: AbstractSet[int]) -> None:
        super().__init__(transport)
        self._statuses = statuses

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and return the response unless its status is an error.

        Raises:
            AppStatusError: the status is one of the configured ones.
        """
        response = await self._transport.send(request, call)
        if response.status in self._statuses:
            raise await _status_error(response)
        return response


async def _status_error(response: Response) -> AppStatusError:
    """Return the error for a response, with the beginning of its body."""
    body = await _body_beginning(response)
    text = body[:MAX_REPORTED_BODY].decode("utf-8", "replace")
    report = msgspec.json.encode({"statusCode": response.status, "body": text})
    return AppStatusError(response.status, report.decode())


async def _body_beginning(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    body = b""
    async with contextlib.aclosing(response.body) as pieces:
        async for piece in pieces:
            body += b"".join(piece)
            if len(body) >= MAX_REPORTED_BODY:
                break
    return body
