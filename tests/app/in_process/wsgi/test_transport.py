"""``transport``: requests to a WSGI application in this process."""

import logging
import threading

import pytest
import trio

from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.wsgi.transport import WSGITransport
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AppFailedError,
    AppStuckError,
    DeadlineError,
    ResponseTooLargeError,
)
from lambda_adapter.observe.logs import request_id
from tests.app.calls import body_of, http_event, turn_of
from tests.programs import wsgi_app

BROKEN = [
    *("raises", "raises_within", "leaves", "never", "twice", "body_first", "text"),
    *("nothing", "odd_status", "odd_field", "odd_name", "short", "replaces_late"),
]


def open_transport(app=wsgi_app.app, *, inline=False, multithread=False):
    function = Function(Config({}))
    return WSGITransport(app, function, "", multithread=multithread, inline=inline)


@pytest.fixture(params=[False, True], ids=["thread", "inline"])
def transport(request):
    return open_transport(inline=request.param)


@pytest.fixture
def lines(caplog):
    """What is logged."""
    log = logging.getLogger("lambda_adapter")
    log.propagate = True
    yield caplog
    log.propagate = False


async def ask(transport, path, *, query="", method="GET", body=None, **bounds):
    """Send a request, and return the response with its body read."""
    call, request = turn_of(http_event(path, query, method, body), **bounds)
    response = await transport.send(request, call)
    content = await body_of(response)
    await transport.finish(call.deadline)
    return response, content


async def test_response(transport):
    """A response has the status, the reason, the headers and the body given."""
    response, body = await ask(transport, "/no_content", query="201")

    assert (response.status, response.reason) == (201, b"Whatever")
    assert response.fields == [(b"Content-Type", b"text/plain")]
    assert body == b"no content"


@pytest.mark.parametrize("status", ["204", "304"])
async def test_statuses_without_content(transport, status):
    """A 204 and a 304 have no body, whatever the application returns."""
    response, body = await ask(transport, "/no_content", query=status)

    assert (response.status, body) == (int(status), b"")


async def test_head_has_no_body(transport):
    """A response to HEAD has no body."""
    _, body = await ask(transport, "/stream", method="HEAD")

    assert body == b""


@pytest.mark.parametrize("streamed", [False, True])
async def test_pieces(transport, streamed):
    """A body is whole, or arrives in the pieces that the application yields."""
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


@pytest.mark.parametrize("streamed", [False, True])
async def test_write(transport, streamed):
    """Written pieces precede returned ones."""
    _, body = await ask(transport, "/writes", streamed=streamed)

    assert body == b"written first and returned"


async def test_file_wrapper(transport):
    """A file is sent in blocks, to its end."""
    _, body = await ask(transport, "/file")

    assert body == bytes(range(256)) * 1000


@pytest.mark.parametrize("streamed", [False, True])
async def test_close(transport, capfd, streamed):
    """``close`` is called once, where the application ran, and after the response."""
    call, request = turn_of(http_event("/closing"), streamed=streamed)
    response = await transport.send(request, call)
    body = await body_of(response)
    before = capfd.readouterr().err
    await transport.finish(call.deadline)

    assert (body, before, capfd.readouterr().err) == (b"ok", "", "closed\n")


async def test_close_of_what_failed(transport, capfd, lines):
    """``close`` is called as well where the application failed."""
    response, _ = await ask(transport, "/closing_raises")

    assert response.status == 500
    assert capfd.readouterr().err == "in the request\nclosed\n"


async def test_error_in_place_of_a_response(transport):
    """A response that has not begun can be replaced by an error's."""
    response, body = await ask(transport, "/replaces")

    assert (response.status, response.reason, body) == (503, b"Later", b"later")


async def test_longer_than_declared(transport):
    """A body is cut to the declared length."""
    _, body = await ask(transport, "/long")

    assert body == b"o"


async def test_one_thread(transport):
    """Each request of a transport is served in the same thread."""
    bodies = [(await ask(transport, "/kept"))[1] for _ in range(3)]
    first = int(bodies[0])

    assert [int(body) - first for body in bodies] == [0, 1, 2]


@pytest.mark.parametrize(("inline", "where"), [(False, b"another"), (True, b"main")])
async def test_which_thread(inline, where):
    """An application runs in a separate thread, unless the setting forbids it."""
    _, body = await ask(open_transport(inline=inline), "/thread")

    assert body == where


async def test_coroutines_in_a_view(transport, capfd):
    """A run of asyncio in a view is not taken for trio, also within ``close``."""
    _, body = await ask(transport, "/library")

    assert body == b"asyncio"
    assert capfd.readouterr().err == "close: asyncio\n"


async def test_start_response_by_names(transport):
    """The names of ``start_response``'s arguments are those of other servers."""
    response, body = await ask(transport, "/by_names")

    assert (response.status, body) == (503, b"sorry")


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
    assert record.getMessage().startswith(f"Runtime.AppFailedError: GET /{path}: ")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("bytes_name", "the name of the header b'X-A' is a bytes, not a str"),
        ("number", "the value of the header 'X-A' is a int, not a str"),
        ("euro", "the value of the header 'X-A' has '\N{EURO SIGN}', which is not"),
        ("bytes_status", "the status is a bytes, not a str"),
    ],
)
async def test_head_that_is_no_text(transport, path, reason, lines):
    """The log names the header that is not a native string."""
    response, _ = await ask(transport, f"/{path}")

    assert response.status == 500
    assert reason in lines.text


async def test_context_is_fresh(transport, capfd):
    """A request's context variables are visible to its ``close`` alone."""
    seen = [(await ask(transport, "/context"))[1] for _ in range(2)]

    assert seen == [b"nothing", b"nothing"]
    assert capfd.readouterr().err == "something\nsomething\n"


@pytest.mark.parametrize("streamed", [False, True])
async def test_write_of_an_earlier_request(transport, streamed):
    """A ``write`` that was kept raises, and the next response has nothing of it."""
    asked = [
        await ask(transport, "/keeps_write", streamed=streamed, seconds=60)
        for _ in range(3)
    ]

    wsgi_app.WRITES.clear()
    assert [response.status for response, _ in asked] == [200, 500, 200]
    assert [asked[0][1], asked[2][1]] == [b"ok", b"ok"]


@pytest.mark.parametrize("path", ["raises_within", "replaces_late"])
async def test_streamed_response_that_breaks_off(path, lines):
    """An application that fails within a stream breaks it."""
    transport = open_transport()
    call, request = turn_of(http_event(f"/{path}"), streamed=True)
    response = await transport.send(request, call)

    assert await anext(response.body) == (b"half",)
    with pytest.raises(AppFailedError):
        await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)


async def test_deadline():
    """A late application fails its request only, if its thread returns."""
    released = threading.Event()

    def app(environ, start_response):
        if environ["QUERY_STRING"] == "late":
            released.wait()
        return wsgi_app.app(environ, start_response)

    transport = open_transport(app)
    call, request = turn_of(http_event("/stream", "late"), seconds=0.04)
    with pytest.raises(DeadlineError):
        await transport.send(request, call)
    released.set()
    await transport.finish(trio.current_time() + 5)

    response, _ = await ask(transport, "/stream")

    assert response.status == 200


async def test_thread_that_does_not_come_back():
    """A thread that still runs after the deadline ends the environment."""
    transport = open_transport()
    call, request = turn_of(http_event("/hangs", "1"), seconds=0.02)
    with pytest.raises(DeadlineError):
        await transport.send(request, call)

    with trio.fail_after(5), pytest.raises(AppStuckError):
        await transport.finish(call.deadline)


async def test_deadline_within_a_stream():
    """Each piece of a stream has the same deadline."""
    released = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"half"
        released.wait()

    transport = open_transport(app)
    call, request = turn_of(http_event("/"), streamed=True, seconds=0.2)
    response = await transport.send(request, call)

    assert await anext(response.body) == (b"half",)
    with trio.fail_after(5), pytest.raises(DeadlineError):
        await anext(response.body)
    released.set()
    await response.body.aclose()
    await transport.finish(trio.current_time() + 5)


async def test_stream_that_nobody_takes(capfd):
    """A generator is closed when its client is gone."""
    transport = open_transport()
    call, request = turn_of(http_event("/endless"), streamed=True)
    response = await transport.send(request, call)
    await anext(response.body)
    await response.body.aclose()
    await transport.finish(call.deadline)

    assert capfd.readouterr().err == "the client is gone\n"


async def test_too_large_a_body(transport):
    """A whole body is limited while it arrives."""
    call, request = turn_of(http_event("/large", "9"), max_body=2_000_000)

    with pytest.raises(ResponseTooLargeError):
        await transport.send(request, call)
    await transport.finish(call.deadline)


async def test_too_large_a_body_is_stopped(transport, capfd):
    """An application is stopped at the piece that makes its body too large."""
    with pytest.raises(ResponseTooLargeError):
        await ask(transport, "/noted", max_body=2_000_000)
    call, _ = turn_of(http_event())
    await transport.finish(call.deadline)

    assert capfd.readouterr().err == "piece 0\npiece 1\npiece 2\n"


@pytest.mark.parametrize("path", ["raises", "closing_raises"])
async def test_stream_that_fails_before_its_first_piece(path):
    """A streamed response that fails before its first piece is a 500."""
    response, body = await ask(open_transport(), f"/{path}", streamed=True)

    assert response.status == 500
    assert b"secret" not in body


async def test_request_id(transport):
    """The request id is known in the application's thread."""
    request_id.set("request-7")

    assert (await ask(transport, "/logs"))[1] == b"request-7"


@pytest.mark.parametrize("multithread", [False, True])
async def test_nothing_waits_for_the_application(multithread):
    """Everything else continues while an application works in its thread."""
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await trio.lowlevel.checkpoint()
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        await ask(open_transport(multithread=multithread), "/hangs", query="0.1")
        nursery.cancel_scope.cancel()

    assert ticks > 10


async def test_several_at_once():
    """Transports share the application; each has its own thread."""
    bodies = []

    async def one(number):
        transport = open_transport(multithread=True)
        _, body = await ask(transport, "/meets", query=str(number))
        bodies.append(body)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(one, number)

    assert sorted(bodies) == [b"0", b"1", b"2", b"3"]
