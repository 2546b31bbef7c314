"""Serve the Invoke API, as Lambda and AWS's emulator do.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from urllib.parse import unquote

import msgspec
from starlette.types import Receive, Scope, Send

from lambda_adapter.http.messages import Fields, Response
from lambda_adapter.local.asgi import read_body, send_head, send_piece, send_whole
from lambda_adapter.local.event_text import describe_encoding
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateways.gateway import MAX_EVENT
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.option_table import FUNCTION
from lambda_adapter.runtime.api import DELIMITER

PREFIX = "/2015-03-31/functions/"
"""Path prefix of functions; their name or ARN follows."""

PATH = f"{PREFIX}{FUNCTION}/invocations"
"""https://docs.aws.amazon.com/lambda/latest/dg/images-test.html"""

MAX_TAIL = 4096
"""Bytes of the log that ``X-Amz-Log-Type: Tail`` returns."""


class ApiError(Exception):
    """A refused call, with AWS's status and error type."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        said = {"Type": "User", "Message": message}
        fields = [(b"x-amzn-errortype", kind.encode())]
        self.response = _json_response(status, msgspec.json.encode(said), fields)


class InvokeApi:
    """Invokes one function, by its name or the emulator's."""

    def __init__(self, function: Function) -> None:
        self._function = function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a call."""
        try:
            invocation, kind = await self._read(scope, receive)
        except ApiError as error:
            await send_whole(send, error.response)
            return
        if kind == "DryRun":
            await send_whole(send, _empty_response(204, invocation))
        elif kind == "Event":
            self._function.submit_soon(invocation)
            await send_whole(send, _empty_response(202, invocation))
        else:
            await self._function.submit(invocation)
            await _send_reply(
                invocation, send, tail=_header_value(scope, b"x-amz-log-type")
            )

    async def _read(self, scope: Scope, receive: Receive) -> tuple[Invocation, str]:
        """Return the invocation that a call requests, and its type.

        Raises:
            ApiError: it is refused.
        """
        self._check_path(scope)
        kind = _header_value(scope, b"x-amz-invocation-type") or "RequestResponse"
        if kind not in {"RequestResponse", "Event", "DryRun"}:
            message = f"X-Amz-Invocation-Type {kind!r} is not a type of invocation"
            raise ApiError(400, "InvalidParameterValueException", message)
        payload = await read_body(receive, MAX_EVENT)
        if payload is None:
            message = f"Request must be smaller than {MAX_EVENT} bytes"
            raise ApiError(413, "RequestTooLargeException", message)
        if encoding := describe_encoding(payload):
            message = f"Could not parse request body into json: it is {encoding}"
            raise ApiError(400, "InvalidRequestContentException", message)
        # Lambda hands over an object where a caller names no payload:
        # https://github.com/aws/aws-lambda-dotnet/issues/834
        invocation = Invocation(payload if payload.strip() else b"{}")
        invocation.client_context = _client_context(scope)
        return invocation, kind

    def _check_path(self, scope: Scope) -> None:
        path: str = scope["raw_path"].decode("latin-1")
        name, _, what = path.removeprefix(PREFIX).partition("/")
        if what != "invocations":
            raise ApiError(404, "ResourceNotFoundException", f"there is no {path}")
        names = "|".join(map(re.escape, {FUNCTION, self._function.name}))
        # A name, a partial or a whole ARN, and a version or an alias behind it.
        known = rf"(arn:[^:]+:lambda:[^:]+:)?(\d+:)?(function:)?({names})(:[\w$-]+)?"
        if not re.fullmatch(known, unquote(name)):
            message = f"Function not found: {unquote(name)}"
            raise ApiError(404, "ResourceNotFoundException", message)
        if scope["method"] != "POST":
            message = f"{scope['method']} does not invoke a function, POST does"
            raise ApiError(405, "MethodNotAllowedException", message)


def _client_context(scope: Scope) -> str:
    """Return the JSON of a caller's client context, for the runtime.

    Raises:
        ApiError: it is not JSON in base64.
    """
    said = _header_value(scope, b"x-amz-client-context")
    try:
        context = base64.b64decode(said, validate=True)
        # In ASCII, since it becomes a header of the Runtime API.
        return json.dumps(json.loads(context)) if said else ""
    except (binascii.Error, ValueError, RecursionError) as error:
        message = f"Client context must be a valid Base64-encoded JSON object: {error}"
        raise ApiError(400, "InvalidRequestContentException", message) from error


async def _send_reply(invocation: Invocation, send: Send, *, tail: str) -> None:
    if invocation.pieces and not invocation.failure:
        await _stream_raw(invocation, send)
        return
    body = failure_json(invocation) if invocation.failure else invocation.reply_payload
    fields = _invoke_fields(invocation)
    if invocation.failure:
        fields.append((b"x-amz-function-error", b"Unhandled"))
    if tail == "Tail":
        await invocation.told.wait()  # with the last lines of its log
        log = "\n".join(_log_lines(invocation)).encode()[-MAX_TAIL:]
        fields.append((b"x-amz-log-result", base64.b64encode(log)))
    await send_whole(send, _json_response(200, body, fields))


def failure_json(invocation: Invocation) -> bytes:
    """Return an invocation's error as callers of the API get it."""
    failure = invocation.failure
    said = {
        "errorType": failure.error_type if failure else "",
        "errorMessage": failure.message if failure else "",
    }
    return msgspec.json.encode(said)


def _log_lines(invocation: Invocation) -> Iterable[str]:
    """Return an invocation's log, with the lines that Lambda adds around it."""
    of = f"RequestId: {invocation.request_id}"
    yield f"START {of} Version: $LATEST"
    yield from invocation.lines
    yield f"END {of}"
    yield (
        f"REPORT {of}\tDuration: {invocation.duration_ms:.2f} ms"
        f"\tBilled Duration: {invocation.billed_ms} ms"
        f"\tMax Memory Used: {invocation.memory_mb} MB\t"
    )


def _empty_response(status: int, invocation: Invocation) -> Response:
    fields = [*_invoke_fields(invocation), (b"content-length", b"0")]
    return Response(status, b"", fields[1:] if status == 204 else fields, b"")


def _json_response(status: int, body: bytes, fields: Fields) -> Response:
    kind = [] if fields[0][0] == b"content-type" else _TYPE
    length = (b"content-length", b"%d" % len(body))
    return Response(status, b"", [*kind, *fields, length], body)


_TYPE: Fields = [(b"content-type", b"application/json")]


def _invoke_fields(invocation: Invocation) -> Fields:
    return [
        *_TYPE,
        (b"x-amzn-requestid", invocation.request_id.encode()),
        (b"x-amz-executed-version", b"$LATEST"),
    ]


def _header_value(scope: Scope, name: bytes) -> str:
    """Return a header's value, or ""; names are compared without case."""
    for each, value in scope["headers"]:
        if each.lower() == name:
            return str(value.decode("latin-1"))
    return ""


async def _stream_raw(invocation: Invocation, send: Send) -> None:
    """Send prelude, delimiter and body as they were sent to Lambda."""
    if invocation.pieces is None:
        return
    await send_head(send, Response(200, b"", _invoke_fields(invocation), b""))
    await send_piece(send, invocation.reply_payload + DELIMITER, more=True)
    async with invocation.pieces as pieces:
        async for piece in pieces:
            await send_piece(send, piece, more=True)
    await send_piece(send, b"", more=False)
