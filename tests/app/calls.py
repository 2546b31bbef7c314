"""Turns at applications in this process, and events for them."""

import time

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
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
    kind = classify(payload)
    decoded = kind.decode(payload)
    call = Call(
        Invocation("request-1", payload, deadline_ms=2_000_000_000_000),
        trio.current_time() + seconds,
        kind,
        decoded,
        streamed,
        max_body,
    )
    return call, decoded.request(Context(b"{}"))


async def serve_beside_a_stuck_one(runtime, adapter, stuck, file):
    """Invoke a request that can't be ended, and three that wait for a file beside it.

    The file is made once the first one was given up. Return the status of each, those
    of the three in their order, and the exit status of the adapter.
    """
    statuses = {}

    async def invoke(name, event, seconds):
        deadline = str(int((time.time() + seconds) * 1000))
        posted = await runtime.invoke(event, lambda_runtime_deadline_ms=deadline)
        reply = posted.prelude() if posted.is_stream else posted.json()
        statuses[name] = reply["statusCode"]

    await runtime.wait(lambda: runtime.polls == 5)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            event = http_event("/waits_for", str(file))
            nursery.start_soon(invoke, number, event, 20)
        await invoke("stuck", http_event(stuck), 0.4)
        await runtime.wait(lambda: runtime.polls == 0)  # nor does the one that is free
        file.touch()
    return statuses, await adapter.wait()


async def body_of(response):
    """Return a body, whole or streamed."""
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([part async for piece in response.body for part in piece])


def with_prefix(request, prefix):
    """Return the request as AWS_LWA_REMOVE_BASE_PATH leaves it."""
    fields = [*request.fields, (b"X-Forwarded-Prefix", prefix)]
    return Request(request.method, request.target, fields, request.body)
