"""``invoke_loop``: what the settings put around an application."""

import base64
import gzip
import json
from contextlib import closing

import pytest
import trio
import trio.testing

from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.server import AfterReady
from lambda_adapter.runtime.client import RuntimeClient
from tests.catalogue import SQS, WEB_SOCKET, alb, http_api, rest_api
from tests.scripted_app import open_app, said
from tests.serve.invoke_loop.function import (
    Function,
    assert_failed,
    loop_of,
    open_function,
)


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
@pytest.mark.parametrize("event", [http_api, alb, rest_api], ids=lambda e: e.__name__)
async def test_error_status_codes(runtime, event, mode):
    """A configured error status fails the invocation, with the response."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503", "AWS_LWA_INVOKE_MODE": mode}
    async with open_function(runtime, settings) as function:
        posted = await function.invoke(event(), said(503, b"try later"))

        assert_failed(posted, "Runtime.AppStatusError")
        assert json.loads(str(posted.json()["errorMessage"])) == {
            "statusCode": 503,
            "body": "try later",
        }


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_error_status_with_a_long_body(runtime, mode):
    """An error's report has the beginning of a long body, and is JSON."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500", "AWS_LWA_INVOKE_MODE": mode}
    async with open_function(runtime, settings) as function:
        posted = await function.invoke(rest_api(), said(500, b"\0" * 70_000))

    report = json.loads(str(posted.json()["errorMessage"]))
    assert report == {"statusCode": 500, "body": "\0" * 8_192}


async def test_statuses_that_are_no_error(runtime):
    """A status that is not configured as an error is the application's response."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503"}
    async with open_function(runtime, settings) as function:
        posted = await function.invoke(http_api(), said(504, b"x"))

    assert posted.json()["statusCode"] == 504


async def test_rewritten_request(runtime):
    """Settings that rewrite requests apply to HTTP events only."""
    settings = {
        "AWS_LWA_REMOVE_BASE_PATH": "/api",
        "AWS_LWA_PASS_THROUGH_PATH": "/api/events",
    }
    async with open_function(runtime, settings) as function:
        await function.invoke(http_api("GET", "/api/x"), said())
        await function.invoke(SQS, said(200, b"{}"))

    lines = [request.line for request in function.app.requests]
    assert lines == [b"GET /x HTTP/1.1", b"POST /api/events HTTP/1.1"]


async def test_request_context_left_out(runtime):
    """A client's request without its context is still not another event.

    Events that are not HTTP keep the mark by which an application tells them.
    """
    forged = http_api(headers={"host": "a", "x-amzn-request-context": "null"})
    async with open_function(runtime, {"AWS_LWA_REQUEST_CONTEXT": "false"}) as function:
        client = await function.seen(forged)
        queue = await function.seen(SQS)
        socket = await function.seen(WEB_SOCKET)

    assert client.values(b"x-amzn-request-context") == []
    assert client.values(b"x-amzn-requestid") == [b"request-1"]
    assert queue.values(b"x-amzn-request-context") == [b"null"]
    assert b"connectionId" in socket.values(b"x-amzn-request-context")[0]


async def test_not_ready_yet(runtime):
    """An event waits until the application is ready, with asynchronous init."""
    ready = trio.Event()
    async with open_app() as app:
        with (
            closing(HttpTransport(("127.0.0.1", app.port), 4)) as client,
            closing(RuntimeClient("127.0.0.1", runtime.port)) as runtime_client,
        ):
            loop = loop_of(runtime_client, AfterReady(client, ready))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(loop.run)
                nursery.start_soon(Function(runtime, app).invoke, http_api(), said())
                await runtime.wait_posted("/next")
                await trio.testing.wait_all_tasks_blocked(0.05)
                before = len(app.requests)

                ready.set()

                await runtime.wait_posted("/response")
                nursery.cancel_scope.cancel()

    assert (before, len(app.requests)) == (0, 1)


async def test_compression(runtime):
    """A client that accepts gzip gets it if configured; a queue never does."""
    settings = {"AWS_LWA_ENABLE_COMPRESSION": "true"}
    text = b'"' + b"a" * 5000 + b'"'
    async with open_function(runtime, settings) as function:
        accepting = http_api(headers={"accept-encoding": "gzip"})
        compressed = await function.invoke(accepting, said(200, text))
        plain = await function.invoke(SQS, said(200, text))

    reply = compressed.json()
    assert gzip.decompress(base64.b64decode(str(reply["body"]))) == text
    assert plain.body == text
