"""``invoke_loop``: what becomes of an invocation that fails."""

import logging

import pytest
import trio

from lambda_adapter.errors import AppExitedError, RuntimeApiError
from tests.catalogue import SQS, alb, http_api, rest_api, vpc_lattice
from tests.fake_runtime_api import replied
from tests.scripted_app import Answer, said
from tests.serve.invoke_loop.function import (
    FAULTY,
    Failing,
    assert_failed,
    assert_refused,
    running,
)
from tests.serve.invoke_loop.kinds import BAD_EVENTS, KINDS


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_refused_event(function, status):
    """A status of 400 or above fails a non-HTTP event, so it is redelivered."""
    posted = await function.invoke(SQS, said(status, b"secret"))

    assert_failed(posted, "Runtime.AppRequestError")
    message = str(posted.json()["errorMessage"])
    assert f"the application responded to POST /events with {status}" in message
    assert b"secret" not in posted.body
    await function.assert_works()


@pytest.mark.parametrize("answer", FAULTY)
async def test_faulty_application(clock, function, answer):
    """A faulty response is 502 without detail to a client, and an error to a queue."""
    posted = await function.invoke(http_api(), answer)
    assert_refused(posted, 502, "Runtime.AppRequestError")
    await function.assert_works()

    posted = await function.invoke(SQS, answer)
    assert_failed(posted, "Runtime.AppRequestError")
    await function.assert_works()


@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_refusal_has_the_shape_of_its_event(clock, function, event, keys):
    """The adapter's own response has the shape that the event's gateway expects."""
    posted = await function.invoke(event(), Answer(b""))

    assert_refused(posted, 502, "Runtime.AppRequestError", keys)
    await function.assert_works()


async def test_refusal_says_nothing_of_the_inside(function, caplog):
    """A client gets the request ID of a failure; only the log has the reason."""
    posted = await function.invoke(http_api(path="/inside"), Answer(b""))

    assert b"inside" not in posted.body
    assert b"127.0.0.1" not in posted.body
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert (
        "GET /inside: the application gave no usable response: it closed the"
        in line.getMessage()
    )
    assert line.request_id == "request-1"


@pytest.mark.parametrize(("event", "keys"), KINDS)
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=name) for name, bad in BAD_EVENTS.items()]
)
async def test_unsafe_event(function, event, keys, bad):
    """An event that can't be a safe HTTP request is 400 in the shape of its gateway.

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
    """A known kind of event that can't be decoded is 400 in the shape of that kind."""
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
        pytest.param(b"[" * 1_000_000 + b"]" * 1_000_000, id="a deep list"),
        pytest.param(
            b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, id="a deep object"
        ),
        pytest.param(
            b'{"requestContext":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
            id="a deep context",
        ),
    ],
)
async def test_unreadable_event(function, payload):
    """An event that is not JSON fails only its own invocation."""
    posted = await function.invoke(payload)

    assert_failed(posted, "Runtime.EventError")
    assert function.app.requests == []
    await function.assert_works()


async def test_refused_reply(function):
    """A reply that Lambda refuses is followed by the next event, not by an error."""
    body = b'{"errorType":"InvalidRequestID"}'
    refusal = replied(400, body)
    function.runtime.scripted["/response"].append(refusal)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(function.invoke, http_api())
        await function.runtime.wait_posted("/response")
        nursery.cancel_scope.cancel()
    await function.assert_works()

    assert not [each for each in function.runtime.posted if each.kind == "error"]


async def test_fault_of_the_adapter(runtime, caplog):
    """A bug of the adapter fails one invocation, and is logged."""
    async with running(runtime, Failing(ZeroDivisionError("oh"))):
        http = await runtime.invoke(http_api())
        other = await runtime.invoke(SQS)

    assert_refused(http, 500, "Runtime.InternalError")
    assert b"ZeroDivision" not in http.body
    assert_failed(other, "Runtime.InternalError")
    first, second = caplog.records
    assert first.getMessage() == (
        "Runtime.InternalError: GET /: a fault of the adapter: ZeroDivisionError: oh;"
        " report it, with the traceback below"
    )
    assert first.exc_info
    assert (first.request_id, second.request_id) == ("request-1", "request-2")


async def test_fatal_error_of_the_application(runtime):
    """The loop ends once the application has exited."""
    error = AppExitedError("the application has gone")

    with pytest.RaisesGroup(AppExitedError):
        async with running(runtime, Failing(error)):
            await runtime.invoke(http_api())


async def test_fatal_error_of_lambda(runtime):
    """Status 500 of the Runtime API ends the loop."""
    runtime.scripted["/error"].append(replied(500))

    with pytest.RaisesGroup(RuntimeApiError):
        async with running(runtime, Failing(ZeroDivisionError())):
            await runtime.invoke(SQS)
