"""``invoke_loop``: an event from Lambda to the application, its answer back."""

import base64
import json
import logging
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import pytest
import trio

from lambda_adapter.app_client import App, AppClient
from lambda_adapter.config import Config
from lambda_adapter.errors import AppExitedError, RuntimeApiError
from lambda_adapter.invoke_loop import InvokeLoop
from lambda_adapter.lambda_context import encode_env_config
from lambda_adapter.messages import Request, Response
from lambda_adapter.runtime_api import MAX_REPLY
from lambda_adapter.runtime_client import RuntimeClient
from tests.adapter import environment
from tests.fake_runtime_api import FUNCTION_ARN, FakeRuntimeApi, Posted
from tests.scripted_app import FAULTS, Answer, ScriptedApp, open_app

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


@asynccontextmanager
async def running(
    runtime: FakeRuntimeApi, app: App, settings: dict[str, str] | None = None
):
    client = RuntimeClient("127.0.0.1", runtime.port)
    env_config = encode_env_config(environment("", 0, {}))
    ready = trio.Event()
    ready.set()
    loop = InvokeLoop(client, app, env_config, Config(settings or {}), ready)
    with closing(client):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop.run)
            yield
            nursery.cancel_scope.cancel()


@pytest.fixture
async def function(runtime):
    """An invoke loop between a fake Runtime API and an application."""
    async with open_app() as app:
        with closing(AppClient("127.0.0.1", app.port, 4)) as client:
            async with running(runtime, client):
                yield Function(runtime, app)


@pytest.fixture
def clock(autojump_clock):
    """A clock that jumps to the next deadline once the sockets are quiet."""
    autojump_clock.autojump_threshold = 0.02
    return autojump_clock


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
    assert str(status) in str(posted.json()["errorMessage"])
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

    async def send(self, request: Request, *, streamed: bool = False) -> Response:
        await trio.lowlevel.checkpoint()
        raise self.error


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


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
@pytest.mark.parametrize("event", [http_api, alb, rest_api], ids=lambda e: e.__name__)
async def test_error_status_codes(runtime, event, mode):
    """A status that is set to be an error fails the invocation, with what was said."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503", "AWS_LWA_INVOKE_MODE": mode}
    async with open_app() as app:
        with closing(AppClient("127.0.0.1", app.port, 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)

                posted = await function.invoke(event(), said(503, b"try later"))

                assert_failed(posted, "Runtime.AppStatusError")
                assert json.loads(str(posted.json()["errorMessage"])) == {
                    "statusCode": 503,
                    "body": "try later",
                }


async def test_statuses_that_are_no_error(runtime):
    """Every other status is the application's answer."""
    settings = {"AWS_LWA_ERROR_STATUS_CODES": "500-503"}
    async with open_app() as app:
        with closing(AppClient("127.0.0.1", app.port, 4)) as client:
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
        with closing(AppClient("127.0.0.1", app.port, 4)) as client:
            async with running(runtime, client, settings):
                function = Function(runtime, app)
                await function.invoke(http_api("GET", "/api/x"), said())
                await function.invoke(SQS, said(200, b"{}"))

    lines = [request.line for request in app.requests]
    assert lines == [b"GET /x HTTP/1.1", b"POST /api/events HTTP/1.1"]


async def test_not_ready_yet(runtime):
    """With asynchronous init, an event waits until the application is ready."""
    ready = trio.Event()
    env_config = encode_env_config(environment("", 0, {}))
    async with open_app() as app:
        with (
            closing(AppClient("127.0.0.1", app.port, 4)) as client,
            closing(RuntimeClient("127.0.0.1", runtime.port)) as runtime_client,
        ):
            loop = InvokeLoop(runtime_client, client, env_config, Config({}), ready)
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
