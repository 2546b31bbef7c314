"""``invoke_loop``: how long an application, and Lambda, may take."""

import logging
from contextlib import closing

import pytest
import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.logs import log
from lambda_adapter.serve.invoke_loop import FRESH, POST_TIMEOUT
from tests.catalogue import SQS, function_url, http_api
from tests.fake_runtime_api import FakeRuntimeApi
from tests.scripted_app import Answer, open_server, receive, said
from tests.serve.invoke_loop.function import (
    CHUNKED,
    HANG,
    STREAM_MODE,
    assert_broken_off,
    assert_failed,
    assert_refused,
    assert_refused_by_stream,
    in_seconds,
    invoking,
    open_function,
    running,
)
from tests.serve.invoke_loop.kinds import STREAMING


async def test_deadline(clock, function):
    """A client gets a 504 before Lambda's deadline, and the next one is served."""
    deadline = in_seconds(5)
    started = trio.current_time()

    posted = await function.invoke(
        http_api(), HANG, lambda_runtime_deadline_ms=deadline
    )

    assert trio.current_time() - started == pytest.approx(4.9, abs=0.5)
    assert_refused(posted, 504, "Runtime.DeadlineError")
    await function.assert_works()


async def test_deadline_of_an_event(clock, function):
    """A non-HTTP event without a response in time is an invocation error."""
    deadline = in_seconds(5)

    posted = await function.invoke(SQS, HANG, lambda_runtime_deadline_ms=deadline)

    assert_failed(posted, "Runtime.DeadlineError")
    await function.assert_works()


async def test_near_deadline(clock, function):
    """A deadline that is nearly over still ends the wait for the application."""
    posted = await function.invoke(
        http_api(), HANG, lambda_runtime_deadline_ms=in_seconds(0.09)
    )

    assert_refused(posted, 504, "Runtime.DeadlineError")


async def test_margin(clock, runtime):
    """How long before the deadline an application is given up is a setting."""
    settings = {"AWS_LWA_DEADLINE_MARGIN_SECONDS": "2"}
    async with open_function(runtime, settings) as function:
        started = trio.current_time()
        posted = await function.invoke(
            http_api(), HANG, lambda_runtime_deadline_ms=in_seconds(5)
        )
        lasted = trio.current_time() - started

    assert_refused(posted, 504, "Runtime.DeadlineError")
    assert lasted == pytest.approx(3, abs=0.5)


async def test_margin_that_is_too_long(runtime, caplog):
    """A margin of the whole timeout is a warning, once, that names the setting."""
    settings = {"AWS_LWA_DEADLINE_MARGIN_SECONDS": "5"}
    async with open_function(runtime, settings) as function:
        for seconds in (6, 3, 3):
            await function.invoke(
                http_api(), said(), lambda_runtime_deadline_ms=in_seconds(seconds)
            )

    (line,) = [line for line in caplog.messages if "MARGIN" in line]
    assert line == (
        "AWS_LWA_DEADLINE_MARGIN_SECONDS=5 leaves a request no time: it has to be"
        " shorter than the function's timeout"
    )


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
    """An implausible deadline is ignored."""
    posted = await function.invoke(http_api(), lambda_runtime_deadline_ms=deadline)

    assert posted.json()["statusCode"] == 200


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
    """Posting a reply has a timeout, after which the next event is requested."""
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
    """Posting a reply may take until the deadline, if that is later."""
    function.runtime.held["/response"] = trio.Event()
    async with trio.open_nursery() as nursery:

        async def answer_late() -> None:
            await function.runtime.wait_arriving("/response")
            await trio.sleep_until(trio.current_time() + 2 * POST_TIMEOUT)
            function.runtime.held["/response"].set()

        nursery.start_soon(answer_late)
        await function.invoke(http_api())

    assert function.runtime.closed == set()


@pytest.mark.parametrize("event", STREAMING)
async def test_deadline_before_a_stream(clock, stream, event):
    """An application without a response in time becomes a streamed 504."""
    posted = await stream.invoke(
        event(), HANG, lambda_runtime_deadline_ms=in_seconds(5)
    )

    assert_refused_by_stream(posted, 504, "Runtime.DeadlineError")
    await stream.assert_streams()


@pytest.mark.parametrize("raw", [b"", b"4\r\nhalf\r\n"], ids=["head", "piece"])
async def test_deadline_amid_a_stream(clock, stream, caplog, raw):
    """A streamed response that is late is cut off, and its connection is closed."""
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
    """An endless stream is cut off at the deadline."""
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
        with closing(HttpTransport(("127.0.0.1", port), 4)) as client:
            async with running(runtime, client, STREAM_MODE):
                posted = await runtime.invoke(
                    function_url(), lambda_runtime_deadline_ms=in_seconds(0.3)
                )
                with trio.fail_after(5):
                    await ended.wait()

    assert_broken_off(posted, "Runtime.DeadlineError")
    assert posted.content().startswith(b"moremore")


async def test_deadline_of_an_error_status(clock, runtime):
    """A response that counts as an error has the same deadline."""
    settings = STREAM_MODE | {"AWS_LWA_ERROR_STATUS_CODES": "503"}
    half = Answer(b"HTTP/1.1 503 No\r\ncontent-length: 99\r\n\r\nhalf", "hold")
    async with open_function(runtime, settings) as function:
        await function.invoke(
            function_url(), half, lambda_runtime_deadline_ms=in_seconds(5)
        )
        await function.app.wait_all_closed()
        await function.assert_streams()


class Slow:
    """An application that takes so many seconds, while Lambda hangs up."""

    def __init__(self, runtime: FakeRuntimeApi, seconds: float) -> None:
        self.runtime = runtime
        self.seconds = seconds

    async def send(self, request: Request, call: Call) -> Response:
        with trio.move_on_after(self.seconds):
            await trio.sleep_forever()
        await self.runtime.drop_connections()
        return Response(200, b"OK", [], b"works")

    async def finish(self, deadline: float) -> None:
        """Have nothing left to do."""


@pytest.mark.parametrize("seconds", [0, FRESH + 0.1])
async def test_connection_closed_before_the_reply(clock, runtime, caplog, seconds):
    """A reply is posted over a new connection if its event's is dead.

    After half a second, the connection is looked at first, and nothing is noted.
    """
    log.setLevel(logging.INFO)
    async with running(runtime, Slow(runtime, seconds)):
        for _ in range(2):
            posted = await runtime.invoke(http_api())
            assert posted.json()["body"] == "works"

    assert ("the connection to Lambda broke" in caplog.text) is (seconds < FRESH)
