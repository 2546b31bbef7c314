"""``after_reply``: work that the application does after its reply."""

import json

import pytest
import trio

from tests.adapter import open_adapter
from tests.catalogue import SQS, function_url, http_api
from tests.fake_runtime_api import NEXT
from tests.scripted_app import Answer, open_app, said
from tests.serve.invoke_loop.function import assert_refused, in_seconds, open_function

PATH = {"AWS_LWA_AFTER_REPLY_PATH": "/lwa/after"}
ASKING = said(200, b"{}", b"X-LWA-After-Reply: job 1\r\n")
STREAM = {"AWS_LWA_INVOKE_MODE": "response_stream"}


def asked_for_next(runtime):
    """Return how often an invocation was asked for."""
    return len([each for each in runtime.posted if each.target == NEXT])


@pytest.mark.parametrize("event", [http_api(), SQS], ids=["HTTP", "SQS"])
async def test_next_waits_for_the_work(runtime, event):
    """The reply is sent immediately, and ``/next`` waits for the work."""
    async with open_function(runtime, PATH) as function:
        posted = await function.invoke(event, ASKING, Answer(b"", "more"))
        await function.app.wait_requests(2)

        assert posted.kind == "response"
        assert asked_for_next(runtime) == 1

        await function.app.say(said(204).raw, "keep")
        await runtime.wait(lambda: asked_for_next(runtime) == 2)
        await function.assert_works()


async def test_what_the_work_is_told(runtime):
    """The second request has the response's value, and its invocation's context."""
    async with open_function(runtime, PATH) as function:
        fields = {"host": "example.com", "cookie": "secret", "x-lwa-after-reply": "x"}
        await function.invoke(
            http_api(headers=fields),
            ASKING,
            said(),
            lambda_runtime_aws_tenant_id="blue",
            lambda_runtime_trace_id="Root=1-2-3",
        )
        await function.app.wait_requests(2)
        first, second = function.app.requests

    assert second.line == b"POST /lwa/after HTTP/1.1"
    assert second.body == b""
    assert second.values(b"x-lwa-after-reply") == [b"job 1"]
    assert second.values(b"x-amzn-request-context") == [b"null"]
    assert second.values(b"x-amzn-requestid") == [b"request-1"]
    assert second.values(b"x-amz-tenant-id") == [b"blue"]
    assert second.values(b"x-amzn-trace-id") == [b"Root=1-2-3"]
    context = second.values(b"x-amzn-lambda-context")
    assert context == first.values(b"x-amzn-lambda-context")
    assert json.loads(context[0])["request_id"] == "request-1"
    assert second.values(b"cookie") == []


@pytest.mark.parametrize(
    ("event", "settings"), [(http_api(), {}), (function_url(), STREAM)]
)
async def test_clients_are_not_told(runtime, event, settings):
    """The header that asks for work after the reply does not reach the client."""
    async with open_function(runtime, PATH | settings) as function:
        posted = await function.invoke(event, ASKING, said())

    assert b"after-reply" not in posted.body.lower()
    assert b"content-length" in posted.body or posted.is_stream


async def test_nothing_was_asked(runtime):
    """A response without the header has no second request."""
    async with open_function(runtime, PATH) as function:
        for _ in range(2):
            await function.invoke(http_api(), said())

        assert len(function.app.requests) == 2


async def test_off(runtime):
    """Without the setting, the header is one like any other."""
    async with open_function(runtime) as function:
        posted = await function.invoke(http_api(), ASKING)
        await function.assert_works()

        assert len(function.app.requests) == 3
    headers = posted.json()["headers"]
    assert isinstance(headers, dict)
    assert "job 1" in headers.values()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(400), "the application responded with 400"),
        (said(404), "the application responded with 404"),
        (said(500), "the application responded with 500"),
        (Answer(b""), "no usable response: it closed"),
    ],
)
async def test_work_that_fails(runtime, caplog, answer, reason):
    """Failed work is only logged, with its request ID."""
    async with open_function(runtime, PATH) as function:
        await function.invoke(http_api(), ASKING, answer)
        await runtime.wait(lambda: asked_for_next(runtime) == 2)
        await function.assert_works()

    (record,) = [each for each in caplog.records if "after the reply" in each.message]
    assert reason in record.message
    assert record.__dict__["request_id"] == "request-1"


@pytest.mark.parametrize("status", [200, 202, 204, 302, 399])
async def test_work_that_is_done(runtime, caplog, status):
    """Work that ends with a status below 400 is not logged."""
    async with open_function(runtime, PATH) as function:
        await function.invoke(http_api(), ASKING, said(status))
        await runtime.wait(lambda: asked_for_next(runtime) == 2)

    assert caplog.records == []


async def test_work_without_end(runtime, caplog):
    """Work is waited for until shortly before Lambda's deadline, and then given up."""
    async with open_function(runtime, PATH) as function:
        hang = Answer(b"", "hold")
        await function.invoke(
            http_api(), ASKING, hang, lambda_runtime_deadline_ms=in_seconds(0.5)
        )
        with trio.fail_after(10):
            await runtime.wait(lambda: asked_for_next(runtime) == 2)
            await function.app.wait_all_closed()

    assert "not complete after" in caplog.text


async def test_path_is_closed_to_clients(runtime):
    """A client's request for the path is refused, in every spelling of a hook's."""
    async with open_function(runtime, PATH) as function:
        for path in "/lwa/after", "//lwa/./AFTER", "/lwa/after/x":
            posted = await function.invoke(http_api("POST", path))
            assert_refused(posted, 403, "Runtime.ClosedPathError")

        assert function.app.requests == []


async def test_through_the_whole_adapter(runtime):
    """The setting works in the whole adapter, together with another one."""
    settings = PATH | {"AWS_LWA_TRACEPARENT": "true"}
    async with (
        open_app(said(), ASKING, said()) as app,
        open_adapter(runtime.address, [], port=app.port, stdout=None, **settings),
    ):
        await runtime.invoke(http_api())
        await app.wait_requests(3)

    assert app.requests[2].line == b"POST /lwa/after HTTP/1.1"
