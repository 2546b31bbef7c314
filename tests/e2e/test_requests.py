"""Every kind of event, through the emulator and the zipapp, to an application."""

import base64
import json
from typing import Any

from tests.e2e.events import CONTEXTS, EVENTS, Request, expected_head, with_path
from tests.emulator import Emulator


async def test_each_event_becomes_exactly_its_request(mirror: Emulator):
    """Request line, headers and body are, byte for byte, those in tests/data."""
    expected, seen = {}, {}
    for path in EVENTS:
        payload = path.read_bytes()
        event = json.loads(payload)

        request = Request.parse(_body(await mirror.invoke(payload)))

        seen[path.stem] = (request.head, request.body)
        expected[path.stem] = (
            expected_head(path, mirror.app),
            _sent(event, payload, request),
        )

    assert seen == expected


async def test_each_request_has_the_events_own_context(mirror: Emulator):
    """Both context headers are JSON: the event's own context, and Lambda's.

    Only what is not HTTP has ``null``.
    """
    seen, expected = {}, {}
    for path in EVENTS:
        payload = path.read_bytes()

        request = Request.parse(_body(await mirror.invoke(payload)))

        contexts = [json.loads(request.contexts[name]) for name in CONTEXTS]
        contexts[1].pop("request_id")
        contexts[1].pop("deadline")
        seen[path.stem] = contexts
        expected[path.stem] = [
            json.loads(payload).get("requestContext")
            or (None if with_path(path, "/") is None else {}),
            {
                "invoked_function_arn": (
                    "arn:aws:lambda:us-east-1:012345678912:function:test_function"
                ),
                "xray_trace_id": None,
                "client_context": None,
                "identity": None,
                "tenant_id": None,
                "env_config": {
                    "function_name": "test_function",
                    "memory": 3008,
                    "version": "$LATEST",
                    "log_stream": "$LATEST",
                    "log_group": "/aws/lambda/Functions",
                },
            },
        ]

    assert seen == expected


async def test_what_lambda_says_of_an_invocation_arrives(mirror: Emulator):
    """Client context and tenant reach the application as Lambda names them."""
    payload = EVENTS[0].read_bytes()
    client = {"custom": {"answer": 42}, "env": {"locale": "de"}}
    headers = {
        "X-Amz-Client-Context": base64.b64encode(json.dumps(client).encode()).decode(),
        "X-Amz-Tenant-Id": "blue",
    }

    request = Request.parse(_body(await mirror.invoke(payload, headers)))

    context = json.loads(request.contexts[b"x-amzn-lambda-context"])
    assert context["client_context"] == client
    assert context["tenant_id"] == "blue"
    assert b"x-amz-tenant-id: blue" in request.head


def _body(reply: bytes) -> bytes:
    """Return the application's body out of a reply to an event of any kind."""
    if not reply.startswith(b'{"statusCode"'):
        text: str = json.loads(reply)
        return text.encode("latin-1")
    return base64.b64decode(json.loads(reply)["body"])


def _sent(event: dict[str, Any], payload: bytes, request: Request) -> bytes:
    """Return the body that an event stands for."""
    if request.head[0].startswith(b"POST /events "):
        return payload
    body = (event.get("body") or "").encode()
    encoded = event.get("isBase64Encoded") or event.get("is_base64_encoded")
    return base64.b64decode(body) if encoded else body
