"""Turns at applications in this process, and events for them."""

import trio

from lambda_adapter import events
from lambda_adapter.apps.app import Turn
from lambda_adapter.events.context import Context
from lambda_adapter.http.messages import Request
from lambda_adapter.runtime.api import Invocation
from tests.events.examples import encode


def http_event(path="/", query="", method="GET", body=None, **headers):
    """Return a function URL's event."""
    return {
        "version": "2.0",
        "requestContext": {
            "domainName": "abc.lambda-url.eu-west-1.on.aws",
            "http": {"method": method, "sourceIp": "203.0.113.7"},
        },
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": "example.com",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "body": body,
    }


def turn_of(event, *, seconds=20.0, streamed=False, max_body=6_000_000):
    """Return an event's turn and its request."""
    payload = encode(event)
    kind = events.classify(payload)
    decoded = kind.decode(payload)
    turn = Turn(
        Invocation("request-1", payload, deadline_ms=2_000_000_000_000),
        trio.current_time() + seconds,
        kind,
        decoded,
        streamed,
        max_body,
    )
    return turn, decoded.request(Context(b"{}"))


async def body_of(response):
    """Return a body, whole or streamed."""
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])


def with_prefix(request, prefix):
    """Return the request as AWS_LWA_REMOVE_BASE_PATH leaves it."""
    fields = [*request.fields, (b"X-Forwarded-Prefix", prefix)]
    return Request(request.method, request.target, fields, request.body)
