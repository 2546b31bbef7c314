"""``invoke_loop``: an event from Lambda to the application, its answer back."""

import base64
import gzip
import json
import logging
import re
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import pytest
import trio
import trio.testing

from lambda_adapter.apps.after_ready import AfterReady
from lambda_adapter.apps.app import Seat, Turn
from lambda_adapter.apps.client import AppClient
from lambda_adapter.apps.seats import with_settings
from lambda_adapter.config import Config
from lambda_adapter.errors import AppExitedError, RuntimeApiError
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_env_config
from lambda_adapter.serve.invoke_loop import POST_TIMEOUT, InvokeLoop
from tests.adapter import environment, free_port
from tests.fake_runtime_api import FUNCTION_ARN, FakeRuntimeApi, Posted
from tests.scripted_app import (
    FAULTS,
    Answer,
    ScriptedApp,
    open_app,
    open_server,
    receive,
)

HANG = Answer(b"", "hold")


def alb(method="GET", path="/", headers=None, **more):
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": method,
        "path": path,
        "headers": headers or {"host": "example.com"},
        **more,
    }


def alb_multi_value(method="GET", path="/", headers=None, **more):
    headers = headers or {"host": "example.com"}
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": method,
        "path": path,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        **more,
    }


def rest_api(method="GET", path="/", headers=None, **more):
    return {
        "resource": "/{proxy+}",
        "requestContext": {"domainName": "example.com", "stage": "prod"},
        "httpMethod": method,
        "path": path,
        "headers": headers or {"Host": "example.com"},
        **more,
    }


def http_api(method="GET", path="/", headers=None, **more):
    return {
        "version": "2.0",
        "requestContext": {"domainName": "example.com", "http": {"method": method}},
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers or {"host": "example.com"},
        **more,
    }


def function_url(method="GET", path="/", headers=None, **more):
    event = http_api(method, path, headers, **more)
    domain = {"domainName": "abc.lambda-url.eu-west-1.on.aws"}
    return event | {"requestContext": event["requestContext"] | domain}


def http_api_v1(method="GET", path="/", headers=None, **more):
    return rest_api(method, path, headers, **more) | {"version": "1.0"}


def vpc_lattice(method="GET", path="/", headers=None, **more):
    headers = headers or {"host": "example.com"}
    return {
        "version": "2.0",
        "requestContext": {"serviceArn": "arn"},
        "method": method,
        "path": path,
        "headers": {name: [value] for name, value in headers.items()},
        **more,
    }


SINGLE = {"statusCode", "headers", "body", "isBase64Encoded"}
MULTI = {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}

KINDS = [
    pytest.param(alb, SINGLE | {"statusDescription"}, id="ALB"),
    pytest.param(alb_multi_value, MULTI | {"statusDescription"}, id="ALB, all values"),
    pytest.param(rest_api, MULTI, id="REST API"),
    pytest.param(http_api, SINGLE | {"cookies"}, id="HTTP API"),
    pytest.param(vpc_lattice, SINGLE, id="VPC Lattice"),
]

SQS = {"Records": [{"eventSource": "aws:sqs", "body": "message"}]}

STREAM_MODE = {"AWS_LWA_INVOKE_MODE": "response_stream"}

STREAMING = [
    pytest.param(function_url, id="function URL"),
    pytest.param(rest_api, id="REST API"),
]

BUFFERED = [
    pytest.param(alb, id="ALB"),
    pytest.param(alb_multi_value, id="ALB, all values"),
    pytest.param(http_api, id="HTTP API"),
    pytest.param(http_api_v1, id="HTTP API, format 1.0"),
    pytest.param(vpc_lattice, id="VPC Lattice"),
]

WEB_SOCKET = {
    "requestContext": {
        "connectionId": "c",
        "eventType": "MESSAGE",
        "routeKey": "$default",
    },
    "body": "hello",
}

CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
"""The head of an answer that goes on as long as it likes."""


def said(status=200, body=b"", fields=b""):
    return Answer(
        b"HTTP/1.1 %d Whatever\r\n%scontent-length: %d\r\n\r\n%s"
        % (status, fields, len(body), body),
        "keep",
    )


@dataclass
class Function:
    """A running invoke loop, and its two neighbours."""

    runtime: FakeRuntimeApi
    app: ScriptedApp

    async def invoke(self, payload: object, *answers: Answer, **fields: str) -> Posted:
        """Invoke, the application giving this answer, and return what was posted."""
        self.app.answers.extend(answers)
        return await self.runtime.invoke(payload, **fields)

    async def seen(self, payload: object, **fields: str):
        """Invoke, and return the request that reached the application."""
        before = len(self.app.requests)
        await self.invoke(payload, **fields)
        (request,) = self.app.requests[before:]
        return request

    async def assert_works(self) -> None:
        """Serve an event of either kind."""
        self.app.answers.clear()
        posted = await self.invoke(http_api(), said(200, b"works"))
        assert posted.json()["body"] == "works"
        posted = await self.invoke(SQS, said(200, b'"works"'))
        assert (posted.kind, posted.body) == ("response", b'"works"')

    async def assert_streams(self) -> None:
        """Serve an event of any kind, one of them by a stream."""
        await self.assert_works()
        posted = await self.invoke(function_url(), said(200, b"streams"))
        assert (posted.prelude()["statusCode"], posted.content()) == (200, b"streams")
        assert posted.trailers == []

    def posts(self) -> list[str]:
        """Return the targets of all that was posted, or begun to be."""
        return [each.target for each in self.runtime.arriving if each.method == "POST"]


def loop_of(
    client: RuntimeClient, seat: Seat, settings: dict[str, str] | None = None
) -> InvokeLoop:
    """Return a loop that sits there, with these settings around its seat."""
    env_config = encode_env_config(Config(environment("127.0.0.1:9001", 8080, {})))
    config = Config(settings or {})
    return InvokeLoop(client, with_settings(seat, config), env_config, config)


@asynccontextmanager
async def running(
    runtime: FakeRuntimeApi, app: Seat, settings: dict[str, str] | None = None
):
    with closing(RuntimeClient("127.0.0.1", runtime.port)) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop_of(client, app, settings).run)
            yield
            nursery.cancel_scope.cancel()


@pytest.fixture
async def function(runtime):
    """An invoke loop between a fake Runtime API and an application."""
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client):
                yield Function(runtime, app)


@pytest.fixture
async def stream(runtime):
    """An invoke loop in stream mode."""
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, STREAM_MODE):
                yield Function(runtime, app)


@asynccontextmanager
async def invoking(function: Function, payload: object, *answers: Answer, **fields):
    """Have an invocation under way, whether or not it is ever answered."""
    async with trio.open_nursery() as nursery:

        async def invoke() -> None:
            await function.invoke(payload, *answers, **fields)

        nursery.start_soon(invoke)
        yield
        nursery.cancel_scope.cancel()


def in_seconds(seconds: float) -> str:
    """Return a deadline."""
    return str(int((time.time() + seconds) * 1000))


def assert_refused(
    posted: Posted, status: int, error_type: str, keys: set[str] | None = None
) -> None:
    """The client was told so, in its own shape, and where to look it up."""
    assert posted.kind == "response"
    reply = posted.json()
    if keys:
        assert set(reply) == keys
    assert reply["statusCode"] == status
    assert reply["isBase64Encoded"] is False
    assert isinstance(reply["body"], str)
    body = json.loads(reply["body"])
    assert set(body) == {"message", "errorType", "requestId"}
    assert body["errorType"] == error_type
    assert body["requestId"] == posted.target.split("/")[-2]


def assert_failed(posted: Posted, error_type: str) -> None:
    """The invocation failed, so that its source can do what it does then."""
    assert posted.kind == "error"
    assert posted.json()["errorType"] == error_type
    assert posted.fields["lambda-runtime-function-error-type"] == error_type
    assert posted.json()["errorMessage"]


@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_http_event(function, event, keys):
    """A client's request reaches the application, and the answer its client."""
    payload = event("POST", "/path", {"host": "example.com", "x-a": "b"}, body="text")
    answer = said(201, "grüße".encode(), b"content-type: text/plain\r\nx-c: d\r\n")

    posted = await function.invoke(payload, answer)

    (request,) = function.app.requests
    assert request.line == b"POST /path HTTP/1.1"
    assert request.values(b"host") == [b"example.com"]
    assert request.values(b"x-a") == [b"b"]
    assert request.body == b"text"
    reply = posted.json()
    assert posted.kind == "response"
    assert set(reply) == keys
    assert (reply["statusCode"], reply["body"]) == (201, "grüße")
    fields = reply.get("headers") or reply["multiValueHeaders"]
    assert fields["x-c"] in ("d", ["d"])


@pytest.mark.parametrize("status", [201, 204, 302, 404, 500, 503])
async def test_any_status_is_an_answer(function, status):
    """For an HTTP event, what the application answers is its own affair."""
    posted = await function.invoke(http_api(), said(status))

    assert (posted.kind, posted.json()["statusCode"]) == ("response", status)


async def test_bytes_there_and_back(function):
    """A body in base64 reaches the application as bytes, and bytes come back."""
    raw = bytes(range(256))
    payload = http_api(
        "POST", body=base64.b64encode(raw).decode(), isBase64Encoded=True
    )

    posted = await function.invoke(payload, said(200, raw))

    assert function.app.requests[0].body == raw
    assert posted.json()["isBase64Encoded"] is True
    assert base64.b64decode(str(posted.json()["body"])) == raw


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(json.dumps(SQS).encode(), id="SQS"),
        pytest.param(b'{ "spaced" :\t1,"e":1.50 }\n', id="spaced"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"1", id="a number"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"a":"\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'["\\ud800"]', id="half a surrogate pair in a list"),
        pytest.param(b'{"a":1e999}', id="a number beyond"),
        pytest.param(b'{"a":1,"a":2}', id="a name twice"),
    ],
)
async def test_other_event(function, payload):
    """An event that is not HTTP is POSTed byte for byte, and so is its result back."""
    posted = await function.invoke(payload, said(200, b'{ "done":true}'))

    (request,) = function.app.requests
    assert request.line == b"POST /events HTTP/1.1"
    assert request.values(b"content-type") == [b"application/json"]
    assert request.body == payload
    assert (posted.kind, posted.body) == ("response", b'{ "done":true}')


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(SQS, id="SQS"),
        pytest.param(alb(headers={"accept": "*/*"}), id="ALB"),
    ],
)
async def test_host_of_an_event_without_one(function, payload):
    """An event that names no host has the application's address for its Host.

    The AWS Lambda Web Adapter sends the same, so what an application allows need not
    change.
    """
    await function.invoke(payload, said(200, b"1"))

    (request,) = function.app.requests
    assert request.values(b"host") == [b"127.0.0.1:8080"]  # the settings' default


async def test_empty_result(function):
    """An empty answer to such an event is ``null``, which is JSON, too."""
    posted = await function.invoke(SQS, said(200))

    assert (posted.kind, posted.body) == ("response", b"null")


@pytest.mark.parametrize("status", [200, 202, 302])
async def test_result_of_an_event(function, status):
    """Any status below 400 says that the application took the event."""
    posted = await function.invoke(SQS, said(status, b"1"))

    assert (posted.kind, posted.body) == ("response", b"1")


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_refused_event(function, status):
    """From 400 on, the invocation fails, so that its source sends the event again."""
    posted = await function.invoke(SQS, said(status, b"secret"))

    assert_failed(posted, "Runtime.AppRequestError")
    message = str(posted.json()["errorMessage"])
    assert f"the application answered POST /events with {status}" in message
    assert b"secret" not in posted.body
    await function.assert_works()


FAULTY = [pytest.param(answer, id=name) for name, answer in FAULTS.items()]


@pytest.mark.parametrize("answer", FAULTY)
async def test_faulty_application(function, answer):
    """A client is told 502 and no more, an event's source that it failed."""
    posted = await function.invoke(http_api(), answer)
    assert_refused(posted, 502, "Runtime.AppRequestError")
    await function.assert_works()

    posted = await function.invoke(SQS, answer)
    assert_failed(posted, "Runtime.AppRequestError")
    await function.assert_works()


@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_refusal_has_the_shape_of_its_event(function, event, keys):
    """What the adapter itself answers is as good a reply as the application's."""
    posted = await function.invoke(event(), Answer(b""))

    assert_refused(posted, 502, "Runtime.AppRequestError", keys)
    await function.assert_works()


async def test_refusal_says_nothing_of_the_inside(function, caplog):
    """What happened is for the log, with the request id to find it by."""
    posted = await function.invoke(http_api(path="/inside"), Answer(b""))

    assert b"inside" not in posted.body
    assert b"127.0.0.1" not in posted.body
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert "GET /inside: it closed the connection" in line.getMessage()
    assert line.request_id == "request-1"


BAD_EVENTS = {
    "no base64": {"body": "%%%", "isBase64Encoded": True},
    "half base64": {"body": "YWJ", "isBase64Encoded": True},
    "a line break in a field": {"headers": {"host": "a", "x": "a\r\nb: c"}},
    "a line feed in a field": {"headers": {"host": "a", "x": "a\nb"}},
    "a NUL in a field": {"headers": {"host": "a", "x": "a\0"}},
    "a name that is none": {"headers": {"host": "a", "x y": "a"}},
    "a line break in a name": {"headers": {"host": "a", "x: y\r\nz": "a"}},
    "an odd host": {"headers": {"host": "a/b"}},
    "two hosts": {"headers": {"host": "a", "Host": "b"}},
    "a method that is none": {"method": "GET / HTTP/1.1\r\n\r\n"},
    "a method to connect": {"method": "CONNECT"},
}


@pytest.mark.parametrize(("event", "keys"), KINDS)
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=name) for name, bad in BAD_EVENTS.items()]
)
async def test_unsafe_event(function, event, keys, bad):
    """What can't be told in HTTP without danger is the client's fault: 400, in shape.

    The application sees nothing of it.
    """
    posted = await function.invoke(event(**bad))

    assert_refused(posted, 400, "Runtime.EventError", keys)
    assert function.app.requests == []
    await function.assert_works()


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        pytest.param(alb, {"headers": "x"}, id="ALB"),
        pytest.param(rest_api, {"path": 1}, id="REST API"),
        pytest.param(http_api, {"rawPath": ["/"]}, id="HTTP API"),
        pytest.param(vpc_lattice, {"body": {}}, id="VPC Lattice"),
    ],
)
async def test_event_of_wrong_types(function, event, wrong):
    """A bad event of a known kind is a bad one of that kind, and of no other."""
    posted = await function.invoke(event() | wrong)

    assert_refused(posted, 400, "Runtime.EventError")
    await function.assert_works()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b'{"requestContext":', id="half an event"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"\0", id="NUL"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, id="a deep list"),
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="a deep object"),
        pytest.param(
            b'{"requestContext":' * 5_000 + b"1" + b"}" * 5_000, id="a deep context"
        ),
    ],
)
async def test_unreadable_event(function, payload):
    """What is no readable JSON fails its invocation, and only that."""
    posted = await function.invoke(payload)

    assert_failed(posted, "Runtime.EventError")
    assert function.app.requests == []
    await function.assert_works()


async def test_largest_reply(function):
    """A reply of 6 MB and 100 bytes is posted; one byte more is 502 instead."""
    text = b"content-type: text/plain\r\n"
    size = MAX_REPLY - 1000
    reply = await function.invoke(http_api(), said(200, b"x" * size, text))
    size += MAX_REPLY - len(reply.body)

    largest = await function.invoke(http_api(), said(200, b"x" * size, text))
    larger = await function.invoke(http_api(), said(200, b"x" * (size + 1), text))

    assert len(largest.body) == MAX_REPLY
    assert_refused(larger, 502, "Runtime.ResponseTooLargeError")
    await function.assert_works()


@pytest.mark.parametrize("event", [alb, alb_multi_value])
async def test_largest_reply_of_a_load_balancer(function, event):
    """A load balancer gets 1 MB at most; one byte more is 502 with a reason instead."""
    text = b"content-type: text/plain\r\n"
    size = 1_000_000
    reply = await function.invoke(event(), said(200, b"x" * size, text))
    size += 1_048_576 - len(reply.body)

    largest = await function.invoke(event(), said(200, b"x" * size, text))
    larger = await function.invoke(event(), said(200, b"x" * (size + 1), text))

    assert len(largest.body) == 1_048_576
    assert_refused(larger, 502, "Runtime.ResponseTooLargeError")
    await function.assert_works()


WARNED = [
    pytest.param(rest_api, 10_240, id="REST API"),
    pytest.param(http_api, 10_240, id="HTTP API"),
    pytest.param(alb, 32_768, id="ALB"),
]


@pytest.mark.parametrize(("event", "limit"), WARNED)
async def test_fields_that_a_gateway_refuses(function, caplog, event, limit):
    """Who nears a gateway's limit for fields is warned of it, and of nothing else."""
    wide = b"x-a: " + b"a" * int(limit * 0.96) + b"\r\n"
    narrow = b"x-a: " + b"a" * int(limit * 0.93) + b"\r\n"

    await function.invoke(event(), said(200, b"x" * limit, narrow))
    assert caplog.records == []
    posted = await function.invoke(event(), said(200, b"", wide))

    assert posted.json()["statusCode"] == 200
    (line,) = caplog.records
    assert f"over {limit:,}, the gateway answers 5xx" in line.getMessage()
    assert line.request_id == posted.target.split("/")[-2]


async def test_fields_that_nobody_refuses(function, caplog):
    """A function URL has no such limit."""
    wide = b"x-a: " + b"a" * 50_000 + b"\r\n"

    await function.invoke(function_url(), said(200, b"", wide))

    assert caplog.records == []


async def test_fields_of_a_stream_that_a_gateway_refuses(stream, caplog):
    """A stream's fields count as any other's."""
    wide = b"x-a: " + b"a" * 10_000 + b"\r\n"

    await stream.invoke(rest_api(), said(200, b"", wide))

    (line,) = caplog.records
    assert "header fields take" in line.getMessage()


async def test_larger_body_than_any_reply(function):
    """A body that no reply can hold is 502, or an error, and never posted."""
    answer = said(200, b"x" * (MAX_REPLY + 1))

    posted = await function.invoke(http_api(), answer)
    assert_refused(posted, 502, "Runtime.ResponseTooLargeError")
    await function.assert_works()

    posted = await function.invoke(SQS, answer)
    assert_failed(posted, "Runtime.ResponseTooLargeError")
    await function.assert_works()
    assert max(len(each.body) for each in function.runtime.posted) < 10_000


async def test_body_that_grows_in_base64(function):
    """It is the reply's length that counts, not the body's."""
    posted = await function.invoke(http_api(), said(200, b"\xff" * 5_000_000))

    assert_refused(posted, 502, "Runtime.ResponseTooLargeError")


async def test_deadline(clock, function):
    """A client is told 504 before Lambda's deadline, and the next one is served."""
    deadline = in_seconds(5)
    started = trio.current_time()

    posted = await function.invoke(
        http_api(), HANG, lambda_runtime_deadline_ms=deadline
    )

    assert trio.current_time() - started == pytest.approx(4.9, abs=0.5)
    assert_refused(posted, 504, "Runtime.DeadlineError")
    await function.assert_works()


async def test_deadline_of_an_event(clock, function):
    """The source of an event that was not taken in time is told so."""
    deadline = in_seconds(5)

    posted = await function.invoke(SQS, HANG, lambda_runtime_deadline_ms=deadline)

    assert_failed(posted, "Runtime.DeadlineError")
    await function.assert_works()


async def test_near_deadline(clock, function):
    """A deadline that is all but over is one, and no reason to wait for good."""
    posted = await function.invoke(
        http_api(), HANG, lambda_runtime_deadline_ms=in_seconds(0.09)
    )

    assert_refused(posted, 504, "Runtime.DeadlineError")


async def test_margin(clock, runtime):
    """How long before the deadline an application is given up is a setting."""
    settings = {"AWS_LWA_DEADLINE_MARGIN_SECONDS": "2"}
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)
                started = trio.current_time()
                posted = await function.invoke(
                    http_api(), HANG, lambda_runtime_deadline_ms=in_seconds(5)
                )
                lasted = trio.current_time() - started

    assert_refused(posted, 504, "Runtime.DeadlineError")
    assert lasted == pytest.approx(3, abs=0.5)


class Finishing:
    """An application in this process that has something left to do."""

    def __init__(self, until: trio.Event) -> None:
        self.until = until
        self.deadlines: list[float] = []

    async def send(self, request: Request, turn: Turn) -> Response:
        return Response(200, b"OK", [], b"done")

    async def finish(self, deadline: float) -> None:
        self.deadlines.append(deadline)
        await self.until.wait()


async def test_what_is_left_to_do_comes_before_the_next_event(runtime):
    """The reply does not wait for it, and the next event does."""
    app = Finishing(trio.Event())
    async with running(runtime, app):
        first = await runtime.invoke(http_api())
        await trio.testing.wait_all_tasks_blocked()
        asked = runtime.polls
        left = app.deadlines[0] - trio.current_time()
        app.until.set()
        second = await runtime.invoke(http_api())

    assert [first.json()["body"], second.json()["body"]] == ["done", "done"]
    assert asked == 0
    assert 0 < left < 30
    assert len(app.deadlines) == 2


async def test_late_answer_meets_nobody(clock, function):
    """The connection of an invocation that was given up is never used again."""
    await function.invoke(http_api(), said())
    await function.invoke(http_api(), HANG, lambda_runtime_deadline_ms=in_seconds(5))
    await function.app.wait_all_closed()
    await function.invoke(http_api(), said())

    assert [each.connection for each in function.app.requests] == [1, 1, 2]


@pytest.mark.parametrize(
    "deadline", ["", "0", "1", "-1", "soon", "9" * 18, "9" * 40, "1e99", "1.5"]
)
async def test_deadline_without_sense(function, deadline):
    """A deadline that makes no sense is none."""
    posted = await function.invoke(http_api(), lambda_runtime_deadline_ms=deadline)

    assert posted.json()["statusCode"] == 200


async def test_lambda_context(function):
    """What Lambda says of an invocation is in a field, in the Rust adapter's shape."""
    deadline = in_seconds(30)

    request = await function.seen(
        http_api(),
        lambda_runtime_deadline_ms=deadline,
        lambda_runtime_trace_id="Root=1-2-3",
        lambda_runtime_client_context='{"custom": {"a": 1}}',
        lambda_runtime_cognito_identity='{"cognitoIdentityId":"i"}',
        lambda_runtime_aws_tenant_id="tenant",
    )

    (value,) = request.values(b"x-amzn-lambda-context")
    assert json.loads(value) == {
        "request_id": "request-1",
        "deadline": int(deadline),
        "invoked_function_arn": FUNCTION_ARN,
        "xray_trace_id": "Root=1-2-3",
        "client_context": {"custom": {"a": 1}},
        "identity": {"cognitoIdentityId": "i"},
        "tenant_id": "tenant",
        "env_config": {
            "function_name": "function",
            "memory": 512,
            "version": "$LATEST",
            "log_stream": "",
            "log_group": "",
        },
    }
    assert request.values(b"x-amzn-trace-id") == [b"Root=1-2-3"]
    assert request.values(b"x-amz-tenant-id") == [b"tenant"]


async def test_sparse_lambda_context(function):
    """What Lambda does not say is null, and never missing."""
    request = await function.seen(SQS)

    context = json.loads(request.values(b"x-amzn-lambda-context")[0])
    nothing = ["xray_trace_id", "client_context", "identity", "tenant_id"]
    assert {name: context[name] for name in nothing} == dict.fromkeys(nothing)
    assert request.values(b"x-amz-tenant-id") == []


@pytest.mark.parametrize(
    "document", ["1e400", "-0", '"x"', "[]", "false", '{"a":1,"a":2}']
)
async def test_odd_client_context(function, document):
    """Any JSON that a caller sends as client context is handed on as it is."""
    request = await function.seen(http_api(), lambda_runtime_client_context=document)

    (value,) = request.values(b"x-amzn-lambda-context")
    assert f'"client_context":{document},'.encode() in value


@pytest.mark.parametrize(
    "document", ["{", "nothing", '{"a":1}, "request_id":"x"', "[" * 2_000, "NaN"]
)
async def test_client_context_that_is_no_json(function, document):
    """What is not JSON is null, and can't break the JSON around it."""
    request = await function.seen(http_api(), lambda_runtime_client_context=document)

    context = json.loads(request.values(b"x-amzn-lambda-context")[0])
    assert context["client_context"] is None
    assert context["request_id"] == "request-1"


@pytest.mark.parametrize(
    "name",
    [
        "x-amzn-lambda-context",
        "X-Amzn-Lambda-Context",
        "x_amzn_lambda_context",
        "x-amzn-request-context",
        "x-amz-tenant-id",
    ],
)
@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_forged_field(function, event, keys, name):
    """What only the adapter may say, no client can."""
    request = await function.seen(
        event("GET", "/", {"host": "example.com", name: "forged"})
    )

    assert b"forged" not in request.head


async def test_events_follow_each_other(function):
    """A hundred events take one connection on either side, and one answer each."""
    for number in range(50):
        text = str(number).encode()
        posted = await function.invoke(http_api(), said(200, text))
        assert posted.json()["body"] == str(number)
        assert (await function.invoke(SQS, said(200, text))).body == text

    assert function.app.connections == 1
    assert {each.connection for each in function.runtime.posted} == {1}
    answers = [each.target for each in function.runtime.posted if each.kind != "next"]
    assert len(answers) == len(set(answers)) == 100


@pytest.mark.parametrize(
    ("payload", "answer", "end", "what"),
    [
        pytest.param(http_api(), said(), "/response", "reply", id="reply"),
        pytest.param(http_api(), Answer(b""), "/response", "failure", id="refusal"),
        pytest.param(SQS, Answer(b""), "/error", "failure", id="error"),
    ],
)
async def test_answer_that_is_never_taken(
    clock, function, caplog, payload, answer, end, what
):
    """Lambda has its time to take an answer; then the next invocation is asked for."""
    function.runtime.scripted[end].append(b"HTTP/1.1 100 Continue\r\nx: {}")
    started = trio.current_time()
    async with invoking(
        function, payload, answer, lambda_runtime_deadline_ms=in_seconds(2)
    ):
        await function.runtime.wait(lambda: function.runtime.closed)

    assert trio.current_time() - started == pytest.approx(POST_TIMEOUT, abs=1)
    line = caplog.records[-1]
    assert line.getMessage() == (
        f"the {what} did not reach Lambda: it was not taken in time"
    )
    assert line.request_id == "request-1"
    await function.assert_works()


async def test_answer_that_is_taken_late(clock, function):
    """Where there is more time than that, Lambda has it."""
    function.runtime.held["/response"] = trio.Event()
    async with trio.open_nursery() as nursery:

        async def answer_late() -> None:
            await function.runtime.wait_arriving("/response")
            await trio.sleep_until(trio.current_time() + 2 * POST_TIMEOUT)
            function.runtime.held["/response"].set()

        nursery.start_soon(answer_late)
        await function.invoke(http_api())

    assert function.runtime.closed == set()


async def test_refused_reply(function):
    """A reply that Lambda refuses is not followed by an error, but by the next one."""
    body = b'{"errorType":"InvalidRequestID"}'
    refusal = b"HTTP/1.1 400 No\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    function.runtime.scripted["/response"].append(refusal)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(function.invoke, http_api())
        await function.runtime.wait_posted("/response")
        nursery.cancel_scope.cancel()
    await function.assert_works()

    assert not [each for each in function.runtime.posted if each.kind == "error"]


class Failing:
    """An application that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def send(self, request: Request, turn: Turn) -> Response:
        await trio.lowlevel.checkpoint()
        raise self.error

    async def finish(self, deadline: float) -> None:
        """Do nothing."""


async def test_fault_of_the_adapter(runtime, caplog):
    """A fault of the adapter costs an invocation; the log has all of it."""
    async with running(runtime, Failing(ZeroDivisionError("oh"))):
        http = await runtime.invoke(http_api())
        other = await runtime.invoke(SQS)

    assert_refused(http, 500, "Runtime.InternalError")
    assert b"ZeroDivision" not in http.body
    assert_failed(other, "Runtime.InternalError")
    first, second = caplog.records
    assert first.getMessage() == "a fault of the adapter: ZeroDivisionError: oh"
    assert first.exc_info
    assert (first.request_id, second.request_id) == ("request-1", "request-2")


async def test_fatal_error_of_the_application(runtime):
    """Where there is nothing left to serve, the loop ends."""
    error = AppExitedError("the application has gone")

    with pytest.RaisesGroup(AppExitedError):
        async with running(runtime, Failing(error)):
            await runtime.invoke(http_api())


async def test_fatal_error_of_lambda(runtime):
    """Where Lambda says that all is lost, the loop ends."""
    raw = b"HTTP/1.1 500 Gone\r\ncontent-length: 2\r\n\r\n{}"
    runtime.scripted["/error"].append(raw)

    with pytest.RaisesGroup(RuntimeApiError):
        async with running(runtime, Failing(ZeroDivisionError())):
            await runtime.invoke(SQS)


@pytest.mark.parametrize("event", STREAMING)
async def test_stream(stream, event):
    """A client's answer goes to Lambda as a prelude, a delimiter, and its own bytes."""
    raw = bytes(range(256)) + bytes(16)
    fields = b"content-type: image/png\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"

    posted = await stream.invoke(event("POST", "/path"), said(201, raw, fields))

    assert stream.app.requests[0].line == b"POST /path HTTP/1.1"
    assert (posted.method, posted.kind) == ("POST", "response")
    prelude = posted.prelude()
    cookies = prelude.pop("cookies", None) or prelude["multiValueHeaders"].pop(
        "set-cookie"
    )
    several = "multiValueHeaders" in prelude
    kept = {"content-type": "image/png", "content-length": "272"}
    assert cookies == ["a=1", "b=2"]
    assert prelude == (
        {
            "statusCode": 201,
            "multiValueHeaders": {name: [value] for name, value in kept.items()},
        }
        if several
        else {"statusCode": 201, "headers": kept}
    )
    assert several is (event is rest_api)
    assert posted.content() == raw
    assert posted.trailers == []
    await stream.assert_streams()


@pytest.mark.parametrize("event", BUFFERED)
async def test_buffered_kinds_stay_so(stream, event):
    """Who can't take a stream gets its JSON in stream mode as well."""
    posted = await stream.invoke(event(), said(200, b"text"))

    assert not posted.is_stream
    assert posted.json()["body"] == "text"
    await stream.assert_streams()


@pytest.mark.parametrize("event", BUFFERED)
async def test_refusal_of_buffered_kinds_stays_so(stream, event):
    """A failure is no stream either, for whom no answer is."""
    posted = await stream.invoke(event(), Answer(b""))

    assert not posted.is_stream
    assert_refused(posted, 502, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize(
    "payload", [pytest.param(SQS, id="SQS"), pytest.param(WEB_SOCKET, id="WebSocket")]
)
async def test_other_event_in_stream_mode(stream, payload):
    """What is not HTTP has results and errors, and no stream of either."""
    good = await stream.invoke(payload, said(200, b'{"done":true}'))
    bad = await stream.invoke(payload, Answer(b""))

    assert (good.is_stream, bad.is_stream) == (False, False)
    assert (good.kind, good.body) == ("response", b'{"done":true}')
    assert_failed(bad, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize("event", STREAMING)
async def test_buffered_mode_is_the_default(function, event):
    """Who did not ask for streams gets none."""
    posted = await function.invoke(event(), said(200, b"text"))

    assert not posted.is_stream
    assert posted.json()["body"] == "text"


@pytest.mark.parametrize("event", STREAMING)
async def test_stream_is_as_fast_as_the_application(stream, event):
    """What the application has said is with Lambda while it holds what comes next.

    First its head alone, then each piece.
    """
    async with invoking(stream, event(), Answer(CHUNKED, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        await stream.runtime.wait_content(posted, b"")
        assert posted.prelude()["statusCode"] == 200

        content = b""
        for piece in (b"one", b"\0" * 9, b"three"):
            await stream.app.say(b"%x\r\n%s\r\n" % (len(piece), piece))
            content += piece
            await stream.runtime.wait_content(posted, content)
        assert not posted.complete

        await stream.app.say(b"0\r\n\r\n", "keep")
        await stream.runtime.wait_posted("/response")

    assert posted.content() == content
    await stream.assert_streams()


async def test_half_a_chunk_is_passed_on(stream):
    """What has come is passed on, even of a chunk that is not whole."""
    async with invoking(stream, function_url(), Answer(CHUNKED + b"6\r\nhel", "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        await stream.runtime.wait_content(posted, b"hel")
        await stream.app.say(b"lo!\r\n0\r\n\r\n", "keep")
        await stream.runtime.wait_posted("/response")

    assert posted.content() == b"hello!"


async def test_early_hints_are_no_prelude(stream):
    """An interim answer is none, in a stream as elsewhere."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

    posted = await stream.invoke(
        function_url(), Answer(hints + said(200, b"ok").raw, "keep")
    )

    assert posted.prelude() == {
        "statusCode": 200,
        "headers": {"content-length": "2"},
        "cookies": [],
    }
    assert posted.content() == b"ok"


EMPTY = {
    "no length": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "keep"),
    "no chunk": Answer(CHUNKED + b"0\r\n\r\n", "keep"),
    "no content": Answer(b"HTTP/1.1 204 No Content\r\n\r\n", "keep"),
    "not modified": Answer(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", "keep"),
    "closed after its head": Answer(b"HTTP/1.1 200 OK\r\n\r\n"),
}


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in EMPTY.items()]
)
async def test_stream_of_nothing(stream, event, answer):
    """An answer without a body is a prelude and a delimiter, and ends well."""
    posted = await stream.invoke(event(), answer)

    status = int(answer.raw.split()[1])
    assert posted.prelude()["statusCode"] == status
    assert posted.body.endswith(b"}" + bytes(8))
    assert posted.trailers == []
    await stream.assert_streams()


@pytest.mark.parametrize("event", STREAMING)
async def test_stream_of_a_head(stream, event):
    """The answer to HEAD has no body, and its length is told all the same."""
    head = Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "keep")

    posted = await stream.invoke(event("HEAD"), head)

    assert b'"1000000"' in posted.body or b'["1000000"]' in posted.body
    assert (posted.content(), posted.trailers) == (b"", [])
    assert posted.body.endswith(b"}" + bytes(8))
    await stream.assert_streams()


async def test_stream_until_the_end_of_the_connection(stream):
    """A body of no stated length ends well where its connection does."""
    posted = await stream.invoke(
        function_url(), Answer(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
    )

    assert posted.content() == b"until the end"
    assert posted.trailers == []
    await stream.assert_streams()


async def test_stream_larger_than_any_reply(stream):
    """A stream is not held to the limit of a reply."""
    raw = bytes(range(256)) * 40_000

    posted = await stream.invoke(function_url(), said(200, raw))

    assert posted.size > MAX_REPLY
    assert posted.content() == raw
    await stream.assert_streams()


async def test_streams_follow_each_other(stream):
    """The application's connection is kept, Lambda's is new after each stream."""
    for number in range(20):
        text = b"%d" % number
        posted = await stream.invoke(function_url(), said(200, text))
        assert posted.content() == text

    assert stream.app.connections == 1
    answers = [each for each in stream.runtime.posted if each.is_stream]
    assert len({each.connection for each in answers}) == 20
    assert len(set(stream.posts())) == len(stream.posts()) == 20


BROKEN_OFF = {
    "length": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
    "length, reset": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "reset"
    ),
    "chunk": Answer(CHUNKED + b"9\r\nhalf"),
    "no last chunk": Answer(CHUNKED + b"4\r\nhalf\r\n"),
    "no last chunk, reset": Answer(CHUNKED + b"4\r\nhalf\r\n", "reset"),
    "nothing of it": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
}


def assert_broken_off(posted: Posted, error_type: str) -> dict[str, object]:
    """The stream ended in trailers that say so, and nothing of them is in its body."""
    assert posted.is_stream
    assert posted.complete
    assert {value for name, value in posted.lines if name.lower() == "trailer"} == {
        name for name, _ in posted.trailers
    }
    (type_name, said_type), (body_name, body) = posted.trailers
    assert type_name == "Lambda-Runtime-Function-Error-Type"
    assert body_name == "Lambda-Runtime-Function-Error-Body"
    assert re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", said_type)
    document = json.loads(base64.b64decode(body, validate=True))
    assert isinstance(document, dict)
    assert set(document) == {"errorMessage", "errorType", "stackTrace"}
    assert document["errorType"] == said_type == error_type
    assert b"Error" not in posted.body
    return document


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in BROKEN_OFF.items()]
)
async def test_stream_that_breaks_off(stream, caplog, event, answer):
    """An application that goes amid its answer ends a stream in trailers.

    The client has had its status, and Lambda and the log are told why there is no more.
    """
    async with invoking(stream, event(path="/inside"), Answer(answer.raw, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        content = b"half" if b"half" in answer.raw else b""
        await stream.runtime.wait_content(posted, content)
        await stream.app.say(b"", answer.then)
        await stream.runtime.wait_posted("/response")

    document = assert_broken_off(posted, "Runtime.AppRequestError")
    assert "GET /inside" in str(document["errorMessage"])
    assert posted.content() == content
    await stream.assert_streams()
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert "Runtime.AppRequestError: the stream broke off: " in line.getMessage()
    assert line.request_id == "request-1"
    assert len(stream.posts()) == 4


async def test_stream_that_turns_to_garbage(stream):
    """What is no chunk breaks a stream off, and nothing of it is passed on."""
    async with invoking(stream, function_url(), Answer(CHUNKED, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        await stream.app.say(b"4\r\nhalf\r\n")
        await stream.runtime.wait_content(posted, b"half")
        await stream.app.say(b"ZZ\r\nmore\r\n", "hold")
        await stream.runtime.wait_posted("/response")
        await stream.app.wait_all_closed()

    assert_broken_off(posted, "Runtime.AppRequestError")
    assert posted.content() == b"half"
    await stream.assert_streams()


FAULTY_HEADS = [
    pytest.param(answer, id=name)
    for name, answer in FAULTS.items()
    if "body" not in name and "chunk" not in name
]


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize("answer", FAULTY_HEADS)
async def test_faulty_application_in_stream_mode(stream, event, answer):
    """What fails before its status is known is a stream that says 502."""
    posted = await stream.invoke(event(), answer)

    assert_refused_by_stream(posted, 502, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize("answer", FAULTY)
async def test_any_fault_in_stream_mode(stream, answer):
    """However an application fails, its invocation is answered once."""
    await stream.invoke(function_url(), answer)
    await stream.assert_streams()

    assert len(stream.posts()) == len(set(stream.posts())) == 4


def assert_refused_by_stream(posted: Posted, status: int, error_type: str) -> None:
    """The client was told so, by a stream that ends well."""
    assert posted.kind == "response"
    assert posted.trailers == []
    prelude = posted.prelude()
    assert prelude["statusCode"] == status
    fields = prelude.get("headers") or prelude["multiValueHeaders"]
    assert isinstance(fields, dict)
    assert fields["content-type"] in ("application/json", ["application/json"])
    body = json.loads(posted.content())
    assert set(body) == {"message", "errorType", "requestId"}
    assert body["errorType"] == error_type
    assert body["requestId"] == posted.target.split("/")[-2]


@pytest.mark.parametrize("event", STREAMING)
async def test_refused_connection_in_stream_mode(runtime, event):
    """So is an application that does not listen."""
    with closing(AppClient(("127.0.0.1", free_port()), 4)) as client:
        async with running(runtime, client, STREAM_MODE):
            posted = await runtime.invoke(event())

    assert_refused_by_stream(posted, 502, "Runtime.AppRequestError")


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=name) for name, bad in BAD_EVENTS.items()]
)
async def test_unsafe_event_in_stream_mode(stream, event, bad):
    """What can't be told in HTTP is a stream that says 400."""
    posted = await stream.invoke(event(**bad))

    assert_refused_by_stream(posted, 400, "Runtime.EventError")
    assert stream.app.requests == []
    await stream.assert_streams()


@pytest.mark.parametrize(
    ("event", "wrong"),
    [
        pytest.param(function_url, {"rawPath": ["/"]}, id="function URL"),
        pytest.param(rest_api, {"path": 1}, id="REST API"),
    ],
)
async def test_event_of_wrong_types_in_stream_mode(stream, event, wrong):
    """So is an event that can't be decoded, but is known for what it is."""
    posted = await stream.invoke(event() | wrong)

    assert_refused_by_stream(posted, 400, "Runtime.EventError")
    await stream.assert_streams()


async def test_unreadable_event_in_stream_mode(stream):
    """Of what is no JSON nobody knows who sent it, so it is an error."""
    posted = await stream.invoke(b"garbage")

    assert_failed(posted, "Runtime.EventError")
    await stream.assert_streams()


@pytest.mark.parametrize("event", STREAMING)
async def test_deadline_before_a_stream(clock, stream, event):
    """An application without an answer in time is a stream that says 504."""
    posted = await stream.invoke(
        event(), HANG, lambda_runtime_deadline_ms=in_seconds(5)
    )

    assert_refused_by_stream(posted, 504, "Runtime.DeadlineError")
    await stream.assert_streams()


@pytest.mark.parametrize("raw", [b"", b"4\r\nhalf\r\n"], ids=["head", "piece"])
async def test_deadline_amid_a_stream(clock, stream, caplog, raw):
    """An answer that is not over in time is broken off, and so is its connection."""
    started = trio.current_time()

    posted = await stream.invoke(
        function_url(),
        Answer(CHUNKED + raw, "hold"),
        lambda_runtime_deadline_ms=in_seconds(5),
    )

    assert trio.current_time() - started == pytest.approx(4.9, abs=0.5)
    assert_broken_off(posted, "Runtime.DeadlineError")
    assert posted.content() == raw[3:7]
    await stream.app.wait_all_closed()
    await stream.assert_streams()
    (line,) = caplog.records
    assert line.request_id == "request-1"


async def test_deadline_of_a_stream_that_never_ends(runtime):
    """An application that always has more is broken off in time as well."""
    ended = trio.Event()

    async def never_end(connection: trio.SocketStream) -> None:
        await receive(connection)
        await connection.send_all(CHUNKED)
        try:
            while True:
                await connection.send_all(b"4\r\nmore\r\n" * 1_000)
        except trio.BrokenResourceError:
            ended.set()

    async with open_server(never_end) as port:
        with closing(AppClient(("127.0.0.1", port), 4)) as client:
            async with running(runtime, client, STREAM_MODE):
                posted = await runtime.invoke(
                    function_url(), lambda_runtime_deadline_ms=in_seconds(0.3)
                )
                with trio.fail_after(5):
                    await ended.wait()

    assert_broken_off(posted, "Runtime.DeadlineError")
    assert posted.content().startswith(b"moremore")


@pytest.mark.parametrize("size", [1, 8 + 50])
async def test_lambda_hangs_up(stream, caplog, size):
    """A stream that Lambda takes no more of is asked of the application no more.

    Be that at the prelude, or amid the body.
    """

    async def hang_up(connection: trio.SocketStream, posted: Posted) -> None:
        if posted.size >= size:
            await connection.aclose()

    stream.runtime.meanwhile["/response"] = hang_up
    async with invoking(stream, function_url(), Answer(CHUNKED, "more")):
        await stream.runtime.wait_arriving("/response", size=1)
        await stream.app.wait_requests(1)
        with trio.fail_after(5):
            while stream.app.open_connections:
                await stream.app.say(b"4\r\nmore\r\n")
                await stream.app.wait(
                    lambda: not (stream.app.answers and stream.app.open_connections)
                )

    stream.runtime.meanwhile.clear()
    await stream.assert_streams()
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert "the stream did not reach Lambda: " in line.getMessage()
    assert line.request_id == "request-1"


async def test_lambda_hangs_up_on_one_who_holds(stream, caplog):
    """So it is while the application has nothing to say: there is nobody to say it to.

    Otherwise it would hold its place until the deadline, which may be 15 minutes off.
    """

    async def hang_up(connection: trio.SocketStream, posted: Posted) -> None:
        if posted.content() == b"half":
            await connection.aclose()

    stream.runtime.meanwhile["/response"] = hang_up
    async with invoking(stream, function_url(), Answer(CHUNKED, "more")):
        await stream.runtime.wait_arriving("/response", size=1)
        await stream.app.say(b"4\r\nhalf\r\n")
        await stream.app.wait_all_closed()

    stream.runtime.meanwhile.clear()
    await stream.assert_streams()
    assert "the stream did not reach Lambda: " in caplog.text


@pytest.mark.parametrize("then", ["hold", "close"])
@pytest.mark.parametrize("size", [1, 8 + 50])
async def test_lambda_answers_early(stream, caplog, size, then):
    """A stream that Lambda refuses amid it is asked of the application no more.

    Whatever Lambda does with its connection then.
    """
    body = b'{"errorType":"RequestEntityTooLarge"}'
    refusal = b"HTTP/1.1 413 No\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    refused = trio.Event()

    async def refuse(connection: trio.SocketStream, posted: Posted) -> None:
        if posted.size >= size and not refused.is_set():
            await connection.send_all(refusal)
            refused.set()
            if then == "close":
                await connection.send_eof()

    stream.runtime.meanwhile["/response"] = refuse
    async with invoking(stream, function_url(), Answer(CHUNKED, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=1)
        with trio.fail_after(5):
            while stream.app.open_connections:
                await stream.app.say(b"4\r\nmore\r\n")
                await stream.app.wait(
                    lambda: not (stream.app.answers and stream.app.open_connections)
                )
            await stream.runtime.wait(
                lambda: posted.connection in stream.runtime.closed
            )

    stream.runtime.meanwhile.clear()
    await stream.assert_streams()
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert "Lambda refused the stream: status 413" in line.getMessage()
    assert "RequestEntityTooLarge" in line.getMessage()
    assert line.request_id == "request-1"
    assert not [each for each in stream.runtime.posted if each.kind == "error"]


async def test_stream_that_lambda_refuses(stream, caplog):
    """A whole stream that is refused is logged, and no error follows it."""
    body = b'{"errorType":"InvokeTimeout"}'
    refusal = b"HTTP/1.1 410 No\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    stream.runtime.scripted["/response"].append(refusal)

    async with invoking(stream, function_url(), said(200, b"late")):
        await stream.runtime.wait_posted("/response")
    await stream.assert_streams()

    (line,) = caplog.records
    assert "Lambda refused the stream: status 410" in line.getMessage()
    assert not [each for each in stream.runtime.posted if each.kind == "error"]


async def test_stream_that_says_all_is_lost(runtime):
    """Where Lambda says to a stream that all is lost, the loop ends."""
    raw = b"HTTP/1.1 500 Gone\r\ncontent-length: 2\r\n\r\n{}"
    runtime.scripted["/response"].append(raw)

    async with open_app() as app:
        client = AppClient(("127.0.0.1", app.port), 4)
        with closing(client), pytest.RaisesGroup(RuntimeApiError):
            async with running(runtime, client, STREAM_MODE):
                await runtime.invoke(function_url())


async def test_deadline_of_an_error_status(clock, runtime):
    """A status that is set to be an error has no more time than any other."""
    settings = STREAM_MODE | {"AWS_LWA_ERROR_STATUS_CODES": "503"}
    half = Answer(b"HTTP/1.1 503 No\r\ncontent-length: 99\r\n\r\nhalf", "hold")
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)
                await function.invoke(
                    function_url(), half, lambda_runtime_deadline_ms=in_seconds(5)
                )
                await app.wait_all_closed()
                await function.assert_streams()


async def test_fault_of_the_adapter_in_stream_mode(runtime, caplog):
    """A fault of the adapter is a stream that says 500."""
    async with running(runtime, Failing(ZeroDivisionError("oh")), STREAM_MODE):
        posted = await runtime.invoke(function_url())

    assert_refused_by_stream(posted, 500, "Runtime.InternalError")
    assert b"ZeroDivision" not in posted.body
    assert "a fault of the adapter: ZeroDivisionError: oh" in caplog.text


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
@pytest.mark.parametrize("event", [http_api, alb, rest_api], ids=lambda e: e.__name__)
async def test_error_status_codes(runtime, event, mode):
    """A status that is set to be an error fails the invocation, with what was said."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503", "AWS_LWA_INVOKE_MODE": mode}
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)

                posted = await function.invoke(event(), said(503, b"try later"))

                assert_failed(posted, "Runtime.AppStatusError")
                assert json.loads(str(posted.json()["errorMessage"])) == {
                    "statusCode": 503,
                    "body": "try later",
                }


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_error_status_with_a_long_body(runtime, mode):
    """The report has the beginning of it, and is JSON whatever that holds."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500", "AWS_LWA_INVOKE_MODE": mode}
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)

                posted = await function.invoke(rest_api(), said(500, b"\0" * 70_000))

    report = json.loads(str(posted.json()["errorMessage"]))
    assert report == {"statusCode": 500, "body": "\0" * 8_192}


async def test_statuses_that_are_no_error(runtime):
    """Every other status is the application's answer."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503"}
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                posted = await Function(runtime, app).invoke(
                    http_api(), said(504, b"x")
                )

    assert posted.json()["statusCode"] == 504


async def test_rewritten_request(runtime):
    """What settings change in a request is changed, for HTTP events only."""
    settings = {
        "AWS_LWA_REMOVE_BASE_PATH": "/api",
        "AWS_LWA_PASS_THROUGH_PATH": "/api/events",
    }
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)
                await function.invoke(http_api("GET", "/api/x"), said())
                await function.invoke(SQS, said(200, b"{}"))

    lines = [request.line for request in app.requests]
    assert lines == [b"GET /x HTTP/1.1", b"POST /api/events HTTP/1.1"]


async def test_not_ready_yet(runtime):
    """With asynchronous init, an event waits until the application is ready."""
    ready = trio.Event()
    async with open_app() as app:
        with (
            closing(AppClient(("127.0.0.1", app.port), 4)) as client,
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
    """Switched on, a client that accepts gzip gets it; an event's source never does."""
    settings = {"AWS_LWA_ENABLE_COMPRESSION": "true"}
    text = b'"' + b"a" * 5000 + b'"'
    async with open_app() as app:
        with closing(AppClient(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)
                accepting = http_api(headers={"accept-encoding": "gzip"})
                compressed = await function.invoke(accepting, said(200, text))
                plain = await function.invoke(SQS, said(200, text))

    reply = compressed.json()
    assert gzip.decompress(base64.b64decode(str(reply["body"]))) == text
    assert plain.body == text
