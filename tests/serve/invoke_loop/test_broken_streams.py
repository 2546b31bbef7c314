"""``invoke_loop`` in stream mode: what becomes of a stream that fails."""

import logging
from contextlib import closing

import pytest
import trio

from lambda_adapter.app.client import HttpTransport
from lambda_adapter.errors import RuntimeApiError
from tests.catalogue import function_url, rest_api
from tests.fake_runtime_api import Posted, replied
from tests.ports import free_port
from tests.scripted_app import FAULTS, Answer, open_app, said
from tests.serve.invoke_loop.function import (
    CHUNKED,
    FAULTY,
    STREAM_MODE,
    Failing,
    assert_broken_off,
    assert_failed,
    assert_refused_by_stream,
    in_seconds,
    invoking,
    running,
)
from tests.serve.invoke_loop.kinds import BAD_EVENTS, STREAMING

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


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in BROKEN_OFF.items()]
)
async def test_stream_that_breaks_off(clock, stream, caplog, event, answer):
    """An application that dies within its response ends the stream in trailers.

    The client has had its status, and Lambda and the log are told why there is no more.
    """
    async with invoking(stream, event(path="/inside"), Answer(answer.raw, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        content = b"half" if b"half" in answer.raw else b""
        await stream.runtime.wait_content(posted, content)
        await stream.app.say(b"", answer.then)
        await stream.runtime.wait_posted("/response")

    document = assert_broken_off(posted, "Runtime.AppRequestError")
    assert "no usable response: " in str(document["errorMessage"])
    assert posted.content() == content
    await stream.assert_streams()
    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert (
        "Runtime.AppRequestError: GET /inside: the stream broke off after "
        in line.getMessage()
    )
    assert line.request_id == "request-1"
    assert len(stream.posts()) == 4


async def test_stream_that_turns_to_garbage(stream):
    """A stream ends before a malformed chunk, without any byte of it."""
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
async def test_faulty_application_in_stream_mode(clock, stream, event, answer):
    """A response that fails before its status becomes a streamed 502."""
    posted = await stream.invoke(event(), answer)

    assert_refused_by_stream(posted, 502, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize("answer", FAULTY)
async def test_any_fault_in_stream_mode(clock, stream, answer):
    """An invocation is replied to once, however its application fails."""
    await stream.invoke(function_url(), answer)
    await stream.assert_streams()

    assert len(stream.posts()) == len(set(stream.posts())) == 4


@pytest.mark.parametrize("event", STREAMING)
async def test_refused_connection_in_stream_mode(runtime, event):
    """An application that does not listen in time is a streamed 504."""
    with closing(HttpTransport(("127.0.0.1", free_port()), 4)) as client:
        async with running(runtime, client, STREAM_MODE):
            posted = await runtime.invoke(
                event(), lambda_runtime_deadline_ms=in_seconds(0.5)
            )

    assert_refused_by_stream(posted, 504, "Runtime.DeadlineError")


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=name) for name, bad in BAD_EVENTS.items()]
)
async def test_unsafe_event_in_stream_mode(stream, event, bad):
    """An event that can't be a safe HTTP request becomes a streamed 400."""
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
    """A known kind of event that can't be decoded becomes a streamed 400."""
    posted = await stream.invoke(event() | wrong)

    assert_refused_by_stream(posted, 400, "Runtime.EventError")
    await stream.assert_streams()


async def test_unreadable_event_in_stream_mode(stream):
    """An event that is not JSON is an invocation error: its source is unknown."""
    posted = await stream.invoke(b"garbage")

    assert_failed(posted, "Runtime.EventError")
    await stream.assert_streams()


@pytest.mark.parametrize("size", [1, 8 + 50])
async def test_lambda_hangs_up(stream, caplog, size):
    """A response is cancelled once Lambda closes the stream, at whatever byte."""

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
    assert line.getMessage().endswith("; its client may be gone")
    assert line.request_id == "request-1"


async def test_lambda_hangs_up_on_one_who_holds(stream, caplog):
    """A silent application is cancelled as soon as Lambda closes the stream.

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
    """A response is cancelled once Lambda refuses the stream, before its end.

    That holds whatever Lambda does with its connection then.
    """
    body = b'{"errorType":"RequestEntityTooLarge"}'
    refusal = replied(413, body)
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
    """A stream that Lambda refuses is logged, and no error is posted after it."""
    body = b'{"errorType":"InvokeTimeout"}'
    refusal = replied(410, body)
    stream.runtime.scripted["/response"].append(refusal)

    async with invoking(stream, function_url(), said(200, b"late")):
        await stream.runtime.wait_posted("/response")
    await stream.assert_streams()

    (line,) = caplog.records
    assert "Lambda refused the stream: status 410" in line.getMessage()
    assert not [each for each in stream.runtime.posted if each.kind == "error"]


async def test_stream_that_says_all_is_lost(runtime):
    """Status 500 in response to a stream ends the loop."""
    runtime.scripted["/response"].append(replied(500))

    async with open_app() as app:
        client = HttpTransport(("127.0.0.1", app.port), 4)
        with closing(client), pytest.RaisesGroup(RuntimeApiError):
            async with running(runtime, client, STREAM_MODE):
                await runtime.invoke(function_url())


async def test_fault_of_the_adapter_in_stream_mode(runtime, caplog):
    """A bug of the adapter becomes a streamed 500."""
    async with running(runtime, Failing(ZeroDivisionError("oh")), STREAM_MODE):
        posted = await runtime.invoke(function_url())

    assert_refused_by_stream(posted, 500, "Runtime.InternalError")
    assert b"ZeroDivision" not in posted.body
    assert "a fault of the adapter: ZeroDivisionError: oh" in caplog.text
