"""The Invoke API, as AWS's emulator has it.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import msgspec
from starlette.types import Receive, Send

from lambda_adapter.http.messages import Fields, Response
from lambda_adapter.local.asgi import read_body, send_head, send_piece, send_whole
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateways.gateway import MAX_EVENT, json_response
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.runtime.api import DELIMITER

PATH = "/2015-03-31/functions/function/invocations"
"""https://docs.aws.amazon.com/lambda/latest/dg/images-test.html"""


async def respond(function: Function, receive: Receive, send: Send) -> None:
    """Invoke the function with the body of a request, and send what it replies."""
    payload = await read_body(receive, MAX_EVENT)
    if payload is None:
        said = b'{"message":"Request must be smaller than 6291456 bytes"}'
        await send_whole(send, json_response(413, said))
        return
    invocation = await function.invoke(payload)
    if invocation.failure:
        await send_whole(send, failed(invocation))
    elif invocation.pieces:
        await _stream(invocation, send)
    else:
        await send_whole(send, _replied(invocation, invocation.reply_payload))


def failed(invocation: Invocation) -> Response:
    """Return the error of an invocation, which is no error of the API's."""
    failure = invocation.failure
    said = msgspec.json.encode(
        {
            "errorType": failure.error_type if failure else "",
            "errorMessage": failure.message if failure else "",
        }
    )
    response = _replied(invocation, said)
    response.fields.append((b"x-amz-function-error", b"Unhandled"))
    return response


def _replied(invocation: Invocation, body: bytes) -> Response:
    length = (b"content-length", b"%d" % len(body))
    return Response(200, b"", [*_fields(invocation), length], body)


def _fields(invocation: Invocation) -> Fields:
    return [
        (b"content-type", b"application/json"),
        (b"x-amzn-requestid", invocation.request_id.encode()),
    ]


async def _stream(invocation: Invocation, send: Send) -> None:
    """Send the prelude, the delimiter and the body, as they went to Lambda."""
    if invocation.pieces is None:
        return
    await send_head(send, Response(200, b"", _fields(invocation), b""))
    await send_piece(send, invocation.reply_payload + DELIMITER, more=True)
    async with invocation.pieces as pieces:
        async for piece in pieces:
            await send_piece(send, piece, more=True)
    await send_piece(send, b"", more=False)
