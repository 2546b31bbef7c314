"""``invoke_loop``: an event to the application, and its response to Lambda."""

import base64
import json

import pytest
import trio
import trio.testing

from lambda_adapter.app.app import Call
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.messages import Request, Response
from tests.adapter import open_adapter
from tests.catalogue import SQS, alb, alb_multi_value, function_url, http_api, rest_api
from tests.scripted_app import open_app, said
from tests.serve.invoke_loop.function import assert_failed, assert_refused, running
from tests.serve.invoke_loop.kinds import KINDS


@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_http_event(function, event, keys):
    """A request reaches the application, and the response its client."""
    payload = event(
        "POST", "/path", headers={"host": "example.com", "x-a": "b"}, body="text"
    )
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
    """Any status of the application is a response to an HTTP event."""
    posted = await function.invoke(http_api(), said(status))

    assert (posted.kind, posted.json()["statusCode"]) == ("response", status)


async def test_bytes_there_and_back(function):
    """A body in base64 reaches the application as bytes, and is returned."""
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
    """A non-HTTP event is POSTed byte for byte, and so is its result returned."""
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
    """The Host of an event without one is the application's address.

    The AWS Lambda Web Adapter sends the same, so what an application allows need not
    change.
    """
    await function.invoke(payload, said(200, b"1"))

    (request,) = function.app.requests
    assert request.values(b"host") == [b"127.0.0.1:8080"]  # the settings' default


async def test_empty_result(function):
    """An empty response to a non-HTTP event is the reply ``null``, which is JSON."""
    posted = await function.invoke(SQS, said(200))

    assert (posted.kind, posted.body) == ("response", b"null")


@pytest.mark.parametrize("status", [200, 202, 302])
async def test_result_of_an_event(function, status):
    """A status below 400 means success for a non-HTTP event."""
    posted = await function.invoke(SQS, said(status, b"1"))

    assert (posted.kind, posted.body) == ("response", b"1")


async def test_largest_reply(function):
    """A reply of 6 MB and 100 bytes is posted; one byte more becomes a 502."""
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
    """A load balancer's reply is at most 1 MB; one byte more becomes a 502."""
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
    """Headers near a gateway's limit are a warning, once for each reply."""
    wide = b"x-a: " + b"a" * int(limit * 0.96) + b"\r\n"
    narrow = b"x-a: " + b"a" * int(limit * 0.93) + b"\r\n"

    await function.invoke(event(), said(200, b"x" * limit, narrow))
    assert caplog.records == []
    posted = await function.invoke(event(), said(200, b"", wide))

    assert posted.json()["statusCode"] == 200
    (line,) = caplog.records
    assert f"over {limit:,}, the gateway responds with 5xx" in line.getMessage()
    assert line.request_id == posted.target.split("/")[-2]


async def test_fields_that_nobody_refuses(function, caplog):
    """Headers of any length go to a function URL without a warning."""
    wide = b"x-a: " + b"a" * 50_000 + b"\r\n"

    await function.invoke(function_url(), said(200, b"", wide))

    assert caplog.records == []


async def test_larger_body_than_any_reply(function):
    """A body that is too large for a reply becomes a 502, or an error."""
    answer = said(200, b"x" * (MAX_REPLY + 1))

    posted = await function.invoke(http_api(), answer)
    assert_refused(posted, 502, "Runtime.ResponseTooLargeError")
    await function.assert_works()

    posted = await function.invoke(SQS, answer)
    assert_failed(posted, "Runtime.ResponseTooLargeError")
    await function.assert_works()
    assert max(len(each.body) for each in function.runtime.posted) < 10_000


async def test_body_that_grows_in_base64(function):
    """The limit of a reply is on its length in base64, not on the body's."""
    posted = await function.invoke(http_api(), said(200, b"\xff" * 5_000_000))

    assert_refused(posted, 502, "Runtime.ResponseTooLargeError")


class Finishing:
    """An application in this process that has something left to do."""

    def __init__(self, until: trio.Event) -> None:
        self.until = until
        self.deadlines: list[float] = []

    async def send(self, request: Request, call: Call) -> Response:
        return Response(200, b"OK", [], b"done")

    async def finish(self, deadline: float) -> None:
        self.deadlines.append(deadline)
        await self.until.wait()


async def test_what_is_left_to_do_comes_before_the_next_event(runtime):
    """An application may finish its work after a reply and before the next event."""
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


async def test_events_follow_each_other(function):
    """A hundred events use one connection on either side, and get one reply each."""
    for number in range(50):
        text = str(number).encode()
        posted = await function.invoke(http_api(), said(200, text))
        assert posted.json()["body"] == str(number)
        assert (await function.invoke(SQS, said(200, text))).body == text

    assert function.app.connections == 1
    assert {each.connection for each in function.runtime.posted} == {1}
    answers = [each.target for each in function.runtime.posted if each.kind != "next"]
    assert len(answers) == len(set(answers)) == 100


async def test_text_in_reply_to_events(runtime):
    """Text becomes null for a batch and a JSON string for a caller, logged once.

    A request's text stays text.
    """
    ok = [said(200, b"OK") for _ in range(6)]
    async with (
        open_app(said(), *ok) as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        events = [SQS, SQS, {"key": 1}, {"key": 1}, http_api(), SQS]
        posted = [await runtime.invoke(event) for event in events]
        log = await adapter.wait_log("JSON string")

    assert [each.kind for each in posted] == ["response"] * 6
    replies = [each.body for each in posted]
    assert replies[:4] == [b"null", b"null", b'"OK"', b'"OK"']
    assert posted[4].json()["body"] == "OK"
    assert replies[5] == b"null"
    lines = [line for line in log.splitlines() if "is not JSON" in line]
    assert ["reply is null" in line for line in lines] == [True, False]
    assert ["RequestId: " in line for line in lines] == [True, True]
