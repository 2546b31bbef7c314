"""``invoke_loop``: what the settings put around an application."""

import base64
import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
import trio
import trio.testing

from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.server import AfterReady, Readiness
from lambda_adapter.errors import AppNotReadyError
from tests.catalogue import SQS, WEB_SOCKET, alb, http_api, rest_api
from tests.fake_runtime_api import FakeRuntimeApi
from tests.scripted_app import Answer, open_app, said
from tests.serve.invoke_loop.function import (
    Function,
    assert_failed,
    assert_refused,
    in_seconds,
    invoking,
    open_function,
    running,
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


@asynccontextmanager
async def open_starting(
    runtime: FakeRuntimeApi,
) -> AsyncIterator[tuple[Function, Readiness]]:
    """Run an invoke loop in front of an application that is not ready yet."""
    readiness = Readiness()
    async with open_app() as app:
        with closing(HttpTransport(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, AfterReady(client, readiness)):
                yield Function(runtime, app), readiness


async def test_not_ready_yet(runtime):
    """An event waits until the application is ready, with asynchronous init."""
    async with (
        open_starting(runtime) as (function, readiness),
        invoking(function, http_api()),
    ):
        await runtime.wait_posted("/next")
        await trio.testing.wait_all_tasks_blocked(0.05)
        before = len(function.app.requests)

        readiness.set_ready()

        await runtime.wait_posted("/response")

    assert (before, len(function.app.requests)) == (0, 1)


async def test_not_ready_in_time(runtime, caplog):
    """A wait for the application ends before Lambda's deadline, and says why.

    The environment lives on, so that the next event finds the application ready.
    """
    async with open_starting(runtime) as (function, readiness):
        readiness.latest = "no connection to 127.0.0.1:8080: Connection refused"
        late = await runtime.invoke(
            http_api(path="/a"), lambda_runtime_deadline_ms=in_seconds(0.3)
        )
        readiness.set_ready()
        await function.assert_works()

    assert_refused(late, 504, "Runtime.DeadlineError")
    (line,) = caplog.messages
    assert re.fullmatch(
        r"Runtime\.DeadlineError: GET /a: the application was not ready \(no connection"
        r" to 127\.0\.0\.1:8080: Connection refused\) after 0\.\d\d s, 0\.\d\d s before"
        r" Lambda's deadline; .+",
        line,
    )


async def test_never_ready(runtime, caplog):
    """An event that waits for an application that gives up is a 502 with the reason.

    No other event is requested, which would have no other fate.
    """
    async with (
        open_starting(runtime) as (function, readiness),
        invoking(function, http_api(path="/a")),
    ):
        await runtime.wait(lambda: bool(runtime.posted) and runtime.polls == 0)
        readiness.set_failed(AppNotReadyError("the application exited; look"))
        failed = await runtime.wait_posted("/response")
        await trio.testing.wait_all_tasks_blocked(0.05)

    assert_refused(failed, 502, "Runtime.AppRequestError")
    assert len([each for each in runtime.posted if each.kind == "next"]) == 1
    line = "Runtime.AppRequestError: GET /a: the application exited; look"
    assert caplog.messages[0] == line


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


def large(media_type: bytes, size: int = 10_000_000) -> Answer:
    """Return a response that is larger than a reply, unless it is compressed."""
    return said(200, b"a" * size, b"content-type: %b\r\n" % media_type)


@pytest.mark.parametrize("source", [http_api, alb], ids=["HTTP API", "ALB"])
async def test_compression_of_more_than_a_reply(runtime, source):
    """A response may be larger than a reply if its compressed form is not."""
    settings = {
        "AWS_LWA_ENABLE_COMPRESSION": "true",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    accepting = source(headers={"host": "a", "accept-encoding": "gzip"})
    async with open_function(runtime, settings) as function:
        reply = (await function.invoke(accepting, large(b"text/csv"))).json()

    body = gzip.decompress(base64.b64decode(str(reply["body"])))
    assert (reply["statusCode"], len(body)) == (200, 10_000_000)


@pytest.mark.parametrize(
    ("accepted", "memory", "answer"),
    [
        pytest.param("br;q=0", "1024", large(b"text/csv"), id="not accepted"),
        pytest.param("gzip", "1024", large(b"image/png"), id="not compressible"),
        pytest.param("gzip", "128", large(b"text/csv"), id="little memory"),
        pytest.param("gzip", "10240", large(b"text/csv", 51_000_000), id="too large"),
    ],
)
async def test_compression_of_too_much(runtime, caplog, accepted, memory, answer):
    """A response that would not fit, or take much of the memory, is a 502."""
    settings = {
        "AWS_LWA_ENABLE_COMPRESSION": "true",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory,
    }
    asking = http_api(headers={"host": "a", "accept-encoding": accepted})
    async with open_function(runtime, settings) as function:
        reply = await function.invoke(asking, answer)
        await function.assert_works()

    assert_refused(reply, 502, "Runtime.ResponseTooLargeError")
    assert "the application's response is too large: " in caplog.text
