"""``transport``: requests to an ASGI application in this process, on each loop."""

import contextlib
import logging
import os
import traceback
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from lambda_adapter.app.in_process.asgi.app import open_host
from lambda_adapter.app.in_process.asgi.messages import Start
from lambda_adapter.app.in_process.asgi.response_body import Body, BodyOverLimitError
from lambda_adapter.app.in_process.asgi.transport import ASGITransport
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AppFailedError,
    AppStuckError,
    DeadlineError,
    ResponseTooLargeError,
)
from lambda_adapter.observe.logs import request_id
from tests.app.calls import body_of, http_event, turn_of
from tests.programs import asgi_app

LOOPS = os.environ.get("TEST_LOOPS", "asyncio,trio").split(",")
"""trio-asyncio changes asyncio for a whole process: test_host_trio_asyncio has one."""

BROKEN = ["raises", "raises_within", "leaves", "never", "only_start", "body_first"]


@asynccontextmanager
async def open_transport(loop, app=asgi_app.app):
    """Run a loop, and yield a transport at an application on it."""
    host = open_host(loop)
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        yield ASGITransport(host, app, Function(Config({})), "", {"shared": []})
        host.close()


@pytest.fixture(params=LOOPS)
async def transport(request):
    async with open_transport(request.param) as transport:
        yield transport


@pytest.fixture
def lines(caplog):
    """What is logged."""
    log = logging.getLogger("lambda_adapter")
    log.propagate = True
    yield caplog
    log.propagate = False


async def ask(transport, path, *, query="", method="GET", **bounds):
    """Send a request, and return the response with its body read."""
    call, request = turn_of(http_event(path, query, method), **bounds)
    response = await transport.send(request, call)
    body = await body_of(response)
    await transport.finish(call.deadline)
    return response, body


async def test_response(transport):
    """A response has the status, the reason, the headers and the body as sent."""
    response, body = await ask(transport, "/no_content", query="201")

    assert (response.status, response.reason) == (201, b"Created")
    assert response.fields == [(b"content-type", b"text/plain")]
    assert body == b"no content"


@pytest.mark.parametrize("status", ["204", "304"])
async def test_statuses_without_content(transport, status):
    """A 204 and a 304 have no body, whatever the application sends."""
    response, body = await ask(transport, "/no_content", query=status)

    assert (response.status, body) == (int(status), b"")


async def test_head_has_no_body(transport):
    """A response to HEAD has no body, and the length that the application declares."""
    response, body = await ask(transport, "/head", method="HEAD")

    assert (b"content-length", b"4") in response.fields
    assert body == b""


@pytest.mark.parametrize("streamed", [False, True])
async def test_pieces(transport, streamed):
    """A body is whole, or arrives in the pieces that were sent."""
    call, request = turn_of(http_event("/stream"), streamed=streamed)
    response = await transport.send(request, call)

    pieces = (
        [response.body]
        if isinstance(response.body, bytes)
        else [b"".join(piece) async for piece in response.body]
    )
    await transport.finish(call.deadline)

    expected = [b"piece 0\n", b"piece 1\n", b"piece 2\n"]
    assert pieces == (expected if streamed else [b"".join(expected)])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_empty_pieces(transport, method):
    """An empty piece, or a piece in a response to HEAD, is not waited for."""
    with trio.fail_after(5):
        _, body = await ask(transport, "/empty_pieces", method=method, streamed=True)

    assert body == (b"piece" if method == "GET" else b"")


@pytest.mark.parametrize("streamed", [False, True])
async def test_file(transport, tmp_path, streamed):
    """A file that is named instead of a body is sent as the body."""
    content = bytes(range(256)) * 1_000
    (tmp_path / "file").write_bytes(content)

    _, body = await ask(
        transport, "/file", query=str(tmp_path / "file"), streamed=streamed
    )

    assert body == content


async def test_background(clock, transport, capfd):
    """Work after the last piece neither delays the response nor is cut off."""
    call, request = turn_of(http_event("/background", "0.05"))
    response = await transport.send(request, call)
    at_the_response = capfd.readouterr().err
    await transport.finish(call.deadline)

    assert (response.body, at_the_response) == (b"ok", "")
    assert capfd.readouterr().err == "background begins\nbackground ends\n"


async def test_background_at_the_deadline(clock, transport, capfd, lines):
    """Work after the response is cancelled at the deadline, and that is logged."""
    call, request = turn_of(http_event("/background", "30"))
    await transport.send(request, call)
    await transport.finish(trio.current_time() + 3)

    assert capfd.readouterr().err == "background begins\n"
    (record,) = lines.records
    assert record.getMessage().startswith(
        "Runtime.DeadlineError: GET /background: the work after the response was"
        " cancelled after "
    )


@pytest.mark.parametrize("path", BROKEN)
async def test_no_response(transport, path, lines):
    """An application without a whole response is a 500 that reveals nothing.

    The log has the reason, the client the id to look it up by.
    """
    response, body = await ask(transport, f"/{path}")
    after, _ = await ask(transport, "/stream")

    assert (response.status, after.status) == (500, 200)
    assert b'"requestId":"request-1"' in body
    assert b"secret" not in body
    (record,) = lines.records
    assert record.levelname == "ERROR"
    what = {
        "raises": "ValueError: a secret reason",
        "raises_within": "ValueError: a secret reason",
        "leaves": "AppExit: SystemExit(3)",
        "body_first": "RuntimeError: http.response.body before http.response.start",
    }.get(path, "the application ended without a whole response")
    assert record.getMessage() == f"Runtime.AppFailedError: GET /{path}: {what}"
    if path.startswith("raises"):
        assert record.exc_info[1].args == ("a secret reason",)


async def test_streamed_response_that_breaks_off(transport, lines):
    """An application that fails within a stream breaks it."""
    call, request = turn_of(http_event("/raises_within"), streamed=True)
    response = await transport.send(request, call)

    assert await anext(response.body) == (b"half",)
    with pytest.raises(AppFailedError):
        await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)


@pytest.mark.parametrize("loop", [loop for loop in LOOPS if loop != "trio"])
async def test_task_that_sends_after_the_application_ended(loop, lines, capfd):
    """A task that outlives the application gets an OSError where it sends."""
    async with open_transport(loop) as transport:
        response, _ = await ask(transport, "/ends_first")

    assert response.status == 500
    (record,) = lines.records
    assert record.getMessage().endswith("ended without a whole response")
    assert capfd.readouterr().err == "late: the application has ended\n"


@pytest.mark.parametrize("path", ["raises_after", "twice"])
async def test_failure_after_the_response(transport, path, lines):
    """A failure after the response is only logged."""
    response, body = await ask(transport, f"/{path}")

    assert (response.status, body) == (200, b"ok")
    (record,) = lines.records
    what = {
        "raises_after": "ValueError: a late reason",
        "twice": "RuntimeError: http.response.start after the response was complete",
    }[path]
    assert record.getMessage() == (
        f"Runtime.AppFailedError: GET /{path}: {what}, after its response was complete"
    )


async def test_context_of_a_failure(transport, lines):
    """A failure is logged in the context of the application, with its trace ids."""
    seen = []

    def note(_):
        seen.append(asgi_app.SEEN.get())
        return True

    lines.handler.addFilter(note)
    await ask(transport, "/fails_in_context")

    assert seen == ["something"]


@pytest.mark.parametrize("path", ["task_exits", "task_fails"])
@pytest.mark.parametrize("loop", [loop for loop in LOOPS if "asyncio" in loop])
async def test_task_that_fails(loop, path):
    """A task that fails or exits is only logged."""
    async with open_transport(loop) as transport:
        statuses = [(await ask(transport, f"/{path}"))[0].status for _ in range(2)]

    assert statuses == [200, 200]


@pytest.mark.parametrize("path", ["hangs", "spins"])
async def test_deadline(transport, path, lines):
    """A late application is cancelled, and the next request is served."""
    call, request = turn_of(http_event(f"/{path}"), seconds=0.05)
    with pytest.raises(DeadlineError):
        await transport.send(request, call)
    await transport.finish(call.deadline)

    response, _ = await ask(transport, "/stream")

    assert response.status == 200
    assert not lines.records


async def test_cancelled_at_the_deadline(clock, transport, capfd):
    """An application is cancelled before its client gets the 504."""
    call, request = turn_of(http_event("/hangs"), seconds=3)
    with pytest.raises(DeadlineError):
        await transport.send(request, call)
    await trio.testing.wait_all_tasks_blocked()
    before_the_reply = capfd.readouterr().err
    await transport.finish(call.deadline)

    assert before_the_reply.startswith("hangs: Cancelled")


async def test_deadline_within_a_stream(clock, transport):
    """Each piece of a stream has the same deadline."""
    call, request = turn_of(http_event("/half_then_hangs"), streamed=True, seconds=3)
    response = await transport.send(request, call)

    assert await anext(response.body) == (b"half",)
    with pytest.raises(DeadlineError):
        await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)


@pytest.mark.parametrize("how", ["", "half", "whole"])
async def test_clean_up_that_fails_at_the_deadline(clock, transport, lines, how):
    """A task that raises while it is cancelled fails one request, and is logged."""
    call, request = turn_of(
        http_event("/mixed", how), seconds=3, streamed=how == "half"
    )
    with contextlib.suppress(DeadlineError):
        response = await transport.send(request, call)
        await body_of(response)
        assert how == "whole"
    await transport.finish(call.deadline)

    response, _ = await ask(transport, "/stream")

    assert response.status == 200
    assert "a late clean-up" in lines.text


@pytest.mark.parametrize("path", ["generator_exit", "keeps_cancelled"])
async def test_no_cancellation_of_ours(transport, path):
    """A ``Cancelled`` that the host did not cause fails the request."""
    statuses = [(await ask(transport, f"/{path}"))[0].status for _ in range(2)]
    response, _ = await ask(transport, "/stream")

    assert statuses[-1] == 500
    assert response.status == 200


async def test_stubborn_application(clock, transport):
    """An application that swallows its cancellation ends the environment."""
    call, request = turn_of(http_event("/stubborn_for"), seconds=3)
    with pytest.raises(DeadlineError):
        await transport.send(request, call)

    with pytest.raises(AppStuckError):
        await transport.finish(call.deadline)


async def test_stream_that_nobody_takes(transport, capfd):
    """``send`` raises once the client is gone."""
    call, request = turn_of(http_event("/endless"), streamed=True)
    response = await transport.send(request, call)
    await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)

    assert capfd.readouterr().err == "the client is gone\n"


async def test_listening_for_the_end(clock, transport, capfd):
    """``receive`` reports that the client is gone."""
    call, request = turn_of(http_event("/listens"), streamed=True)
    response = await transport.send(request, call)
    await anext(response.body)
    with trio.move_on_after(3):
        await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)

    assert capfd.readouterr().err == "http.disconnect\n"


async def test_stream_waits_for_who_takes_it(transport):
    """``send`` returns once its piece is taken."""
    call, request = turn_of(http_event("/counts"), streamed=True)
    response = await transport.send(request, call)
    await trio.testing.wait_all_tasks_blocked()
    sent_at_first = asgi_app.COUNTED["sent"]
    await anext(response.body)
    await anext(response.body)
    await trio.testing.wait_all_tasks_blocked()
    await response.body.aclose()
    await transport.finish(call.deadline)

    assert (sent_at_first, asgi_app.COUNTED["sent"]) == (0, 1)


async def test_too_large_a_body(transport):
    """A whole body is limited while it arrives."""
    call, request = turn_of(http_event("/large", "9"), max_body=2_000_000)

    with pytest.raises(ResponseTooLargeError):
        await transport.send(request, call)
    await transport.finish(call.deadline)


def test_too_large_a_body_is_let_go():
    """No piece of a body that is too large is kept."""
    body = Body(is_head=False, limit=3)
    start = Start(200, [], None)
    body.add(start, b"ab", more=True)
    with pytest.raises(BodyOverLimitError):
        body.add(start, b"cd", more=True)

    assert not body


async def test_disconnect(transport, capfd):
    """After the response, ``receive`` says that the client is gone."""
    await ask(transport, "/disconnects")

    assert capfd.readouterr().err == "http.disconnect\n"


@pytest.mark.parametrize("streamed", [False, True])
async def test_disconnect_comes_after_the_last_send(transport, capfd, streamed):
    """``receive`` says that the client is gone once the last ``send`` has returned."""
    for _ in range(4):
        await ask(transport, "/watches", streamed=streamed)

    assert capfd.readouterr().err == "sent\nhttp.disconnect\n" * 4


@pytest.mark.parametrize("streamed", [False, True])
async def test_work_of_who_watches_for_the_end(transport, capfd, streamed):
    """An application that is cancelled at its client's end has sent everything."""
    for _ in range(4):
        await ask(transport, "/cancels_at_the_end", streamed=streamed)

    assert capfd.readouterr().err == "sent\nbackground\n" * 4


async def test_last_send_that_is_cancelled(transport, capfd):
    """``receive`` says that the client is gone once the last ``send`` is cancelled."""
    with trio.fail_after(5):
        await ask(transport, "/gives_up_sending")

    assert capfd.readouterr().err == "http.disconnect\n"


async def test_context_is_fresh(transport):
    """Context variables of one request are not visible in the next."""
    seen = [(await ask(transport, "/context"))[1] for _ in range(2)]

    assert seen == [b"nothing", b"nothing"]


async def test_request_id(transport, capfd):
    """An application's log has the request id, by the adapter's filter."""
    request_id.set("request-7")
    await ask(transport, "/logs")

    assert capfd.readouterr().err == "a line of request-7\n"


async def test_cancelled_from_outside(clock, transport, capfd):
    """At the end of the adapter, the application is cancelled."""
    call, request = turn_of(http_event("/hangs"))
    with trio.move_on_after(3):
        await transport.send(request, call)
    await transport.finish(trio.current_time() + 1)

    assert capfd.readouterr().err.startswith("hangs: Cancelled")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("path", ["hangs", "mixed"])
async def test_end_of_the_loop(loop, path, lines):
    """A request in flight is cancelled with its loop, and its failure is logged."""
    async with open_transport(loop) as transport, trio.open_nursery() as nursery:
        call, request = turn_of(http_event(f"/{path}"))
        nursery.start_soon(transport.send, request, call)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert ("a late clean-up" in lines.text) == (path == "mixed")
    assert len(lines.records) == (path == "mixed")


async def test_itself_cancelled(transport, lines):
    """An application that cancels itself sends no response."""
    response, _ = await ask(transport, "/cancels_itself")

    assert response.status == 500
    assert len(lines.records) == 1


@pytest.mark.parametrize("loop", [loop for loop in LOOPS if "asyncio" in loop])
async def test_where_it_was_cancelled(loop, lines):
    """The log shows where an application has cancelled itself."""
    async with open_transport(loop) as transport:
        await ask(transport, "/cancels_itself")

    (record,) = lines.records
    trace = "".join(traceback.format_exception(record.exc_info[1]))
    assert "Cancelled: CancelledError('its own reason')" in record.getMessage()
    assert "in cancels_itself" in trace


@pytest.mark.parametrize("loop", LOOPS)
async def test_several_at_once(loop):
    """Transports share the application; each has its own request."""
    async with open_transport(loop) as transport:
        transports = [
            transport,
            *(ASGITransport(*transport_parts(transport)) for _ in range(3)),
        ]
        bodies = []

        async def one(transport, number):
            _, body = await ask(transport, "/meets", query=str(number))
            bodies.append(body)

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for number, each in enumerate(transports):
                    nursery.start_soon(one, each, number)

    assert sorted(bodies) == [b"0", b"1", b"2", b"3"]


def transport_parts(transport):
    return (
        transport._host,
        transport._app,
        transport._function,
        transport._base_path,
        transport._state,
    )
