"""``app_client``: the application behind its loopback port."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import msgspec
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from lambda_adapter.app.app import Call
from lambda_adapter.app.client import UNREPEATABLE_IDLE_LIMIT, HttpTransport
from lambda_adapter.errors import AppRequestError, DeadlineError, ResponseTooLargeError
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.messages import Request, Response, Stream
from lambda_adapter.runtime.api import Invocation
from tests.ports import free_port
from tests.scripted_app import (
    FAULTS,
    OK,
    Answer,
    ScriptedApp,
    open_app,
    open_server,
    receive,
)

KEEP_OK = Answer(OK, "keep")
IDLE_LIMIT = 4.0

ANSWERS = {
    "a length": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"),
    "chunks": Answer(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    ),
    "chunks and a length": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n"
        b"4 ; a = b\r\nbody\r\n0\r\n\r\n",
        "keep",
    ),
    "a length twice": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 4\r\n\r\nbody", "keep"
    ),
    "line feeds": Answer(b"HTTP/1.1 200 OK\ncontent-length: 4\n\nbody", "keep"),
    "the end of the connection": Answer(b"HTTP/1.1 200 OK\r\n\r\nbody"),
    "HTTP/1.0": Answer(b"HTTP/1.0 200 OK\r\n\r\nbody"),
    "interim answers first": Answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
    ),
    "no reason": Answer(b"HTTP/1.1 200\r\ncontent-length: 4\r\n\r\nbody"),
    "excess": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbodyHTTP/1.1 500"),
    "kept open": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody", "keep"),
    "kept open with excess": Answer(
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody" + OK, "keep"
    ),
    "said to close, held open": Answer(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody", "hold"
    ),
}


TURN = Call(Invocation("request-1", b"{}"), math.inf)
STREAMED = msgspec.structs.replace(TURN, streamed=True)


def request(method=b"GET", target=b"/", body=b""):
    fields = [(b"host", b"localhost")]
    if body:
        fields.append((b"content-length", b"%d" % len(body)))
    return Request(method, target, fields, body)


@asynccontextmanager
async def open_client(
    *answers: Answer,
) -> AsyncIterator[tuple[ScriptedApp, HttpTransport]]:
    """Serve an application that gives these responses, and be its client."""
    async with open_app(*answers) as app:
        with closing(HttpTransport(("127.0.0.1", app.port), IDLE_LIMIT)) as client:
            yield app, client


async def send(client: HttpTransport, *arguments: bytes) -> Response:
    """Send within a time that is only there to end a test which hangs."""
    with trio.fail_after(10):
        return await client.send(request(*arguments), TURN)


def of(cases):
    return [pytest.param(answer, id=name) for name, answer in cases.items()]


@pytest.mark.parametrize("answer", of(ANSWERS))
async def test_ways_of_answering(answer):
    """A response is read however the application ends it, and so is the next one."""
    async with open_client(answer) as (_app, client):
        first = await send(client)
        second = await send(client)

    assert (first.status, first.body) == (200, b"body")
    assert (second.status, second.body) == (200, b"ok")


@pytest.mark.parametrize("answer", of(FAULTS))
async def test_faulty_answers(answer):
    """A response that can't be trusted fails its request, and no other."""
    async with open_client(answer) as (app, client):
        with pytest.raises(AppRequestError):
            await send(client)
        following = await send(client)

    assert following.body == b"ok"
    assert len(app.requests) == 2


async def test_faults_are_told_without_the_query():
    """A failure's message is about the application: the request may hold secrets."""
    async with open_app(Answer(b"")) as app:
        client = HttpTransport(("127.0.0.1", app.port), IDLE_LIMIT)
        with pytest.raises(AppRequestError) as caught:
            await send(client, b"GET", b"/a/path?token=secret")

    message = str(caught.value)
    assert "it closed the connection without a response" in message
    assert "secret" not in message


@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_nothing_listens_yet(clock, method):
    """Any request waits while nothing listens: no byte of it was sent before."""
    port = free_port()
    with closing(HttpTransport(("127.0.0.1", port), IDLE_LIMIT)) as client:
        async with trio.open_nursery() as nursery:
            responses: list[Response] = []

            async def ask() -> None:
                responses.append(await client.send(request(method), TURN))

            nursery.start_soon(ask)
            await trio.sleep_until(trio.current_time() + 1)
            async with open_app(port=port) as app:
                await app.wait_requests(1)
                await app.wait(lambda: bool(responses))

    assert [response.status for response in responses] == [200]


async def test_nothing_listens(clock):
    """An application that has gone for good is named by its address, in a 504."""
    port = free_port()
    client = HttpTransport(("127.0.0.1", port), IDLE_LIMIT)
    soon = msgspec.structs.replace(TURN, deadline=trio.current_time() + 1)

    with pytest.raises(
        DeadlineError, match=rf"127\.0\.0\.1:{port}: Connection refused after \d"
    ) as caught:
        await client.send(request(), soon)

    assert caught.value.advice.startswith("the application does not listen any more")


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"PURGE"])
async def test_idle_connection_and_an_unrepeatable_request(mock_clock, method):
    """An unrepeatable request only uses a connection that was idle for a moment."""
    async with open_client() as (app, client):
        await client.send(request(method), TURN)
        mock_clock.jump(UNREPEATABLE_IDLE_LIMIT - 0.1)
        await client.send(request(method), TURN)
        mock_clock.jump(UNREPEATABLE_IDLE_LIMIT + 0.1)
        await client.send(request(b"GET"), TURN)
        mock_clock.jump(UNREPEATABLE_IDLE_LIMIT + 0.1)
        await client.send(request(method), TURN)

    assert [each.connection for each in app.requests] == [1, 1, 1, 2]


async def test_server_that_hangs_up_soon():
    """A server that closes a connection just after a response gets no POST over one.

    It may close the next one when the request is on its way, which nothing shows.
    """
    async with open_client(Answer(OK)) as (app, client):
        await send(client, b"POST")
        await app.wait_all_closed()
        for method in (b"POST", b"POST", b"GET"):
            await send(client, method)

    assert [each.connection for each in app.requests] == [1, 2, 3, 3]


async def test_server_that_has_hung_up_on_a_request():
    """After a request that a kept connection has lost, no POST is sent over one."""
    async with open_client(KEEP_OK, Answer(b"")) as (app, client):
        await send(client, b"POST")
        with pytest.raises(AppRequestError):
            await send(client, b"POST")
        other = client.open_transport()
        for transport in (client, other):
            await send(transport, b"POST")

    assert [each.connection for each in app.requests] == [1, 1, 2, 3]


async def test_too_large_a_body():
    """More body than any reply can hold is not read to its end."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n"
    async with open_client(Answer(head + bytes(MAX_REPLY + 1), "hold")) as (
        _app,
        client,
    ):
        with pytest.raises(ResponseTooLargeError):
            await send(client)
        following = await send(client)

    assert following.body == b"ok"


async def test_connection_is_kept():
    """Requests that follow each other share a connection."""
    async with open_client() as (app, client):
        for _ in range(5):
            await send(client, b"POST", b"/", b"body")

    assert [each.connection for each in app.requests] == [1] * 5


async def test_youngest_connection_first():
    """The most recently used connection is used first."""
    async with open_client() as (app, client):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(send, client)
        assert app.connections == 3
        for _ in range(3):
            await send(client)

    assert len({each.connection for each in app.requests[3:]}) == 1


async def test_requests_side_by_side():
    """Each concurrent request has its own connection."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            while await receive(stream):
                arrived.append(stream)
                if len(arrived) == 2:
                    both.set()
                await both.wait()
                await stream.send_all(OK)

    both = trio.Event()
    arrived: list[trio.SocketStream] = []
    async with open_server(serve) as port:
        with closing(HttpTransport(("127.0.0.1", port), IDLE_LIMIT)) as client:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send, client)
                nursery.start_soon(send, client)
            await send(client)

    assert len(set(arrived)) == 2


async def test_closed_between_requests():
    """A kept connection that the application closed is not used, whatever the method.

    Servers close idle ones after some seconds, in a frozen environment at any time.
    """
    async with open_client(Answer(OK), Answer(OK)) as (app, client):
        await send(client, b"POST", b"/", b"body")
        await app.wait_all_closed()
        await send(client, b"POST", b"/", b"body")
        await app.wait_all_closed()
        await send(client, b"POST", b"/", b"body")

    assert [each.connection for each in app.requests] == [1, 2, 3]


async def test_idle_for_too_long(mock_clock: MockClock):
    """A connection that was idle for so long that it may be closed now is not used."""
    async with open_client() as (app, client):
        await client.send(request(), TURN)
        mock_clock.jump(IDLE_LIMIT - 0.1)
        await client.send(request(), TURN)
        mock_clock.jump(IDLE_LIMIT + 0.1)
        await client.send(request(), TURN)

    assert [each.connection for each in app.requests] == [1, 1, 2]


@pytest.mark.parametrize(
    "method", [b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"]
)
async def test_idempotent_request_is_repeated(method):
    """An idempotent request is repeated if a kept connection closed without a byte."""
    async with open_client(KEEP_OK, Answer(b"")) as (app, client):
        await send(client)
        response = await send(client, method)

    assert response.status == 200
    assert [each.connection for each in app.requests] == [1, 1, 2]


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"PURGE"])
async def test_other_request_is_never_repeated(method):
    """A request that is not idempotent is sent once: the first one may have worked."""
    async with open_client(KEEP_OK, Answer(b"")) as (app, client):
        await send(client)
        with pytest.raises(AppRequestError):
            await send(client, method, b"/", b"body")

    assert len(app.requests) == 2


async def test_answered_request_is_never_repeated():
    """One byte of a response is proof that the request was taken."""
    async with open_client(KEEP_OK, Answer(b"H")) as (app, client):
        await send(client)
        with pytest.raises(AppRequestError):
            await send(client)

    assert len(app.requests) == 2


async def test_request_on_a_new_connection_is_never_repeated():
    """A request that failed on a new connection is not repeated: that was not stale."""
    async with open_app(Answer(b"")) as app:
        client = HttpTransport(("127.0.0.1", app.port), IDLE_LIMIT)
        with pytest.raises(AppRequestError):
            await send(client)

    assert len(app.requests) == 1


async def test_request_is_repeated_only_once():
    """The second try's failure is the request's."""
    async with open_client(KEEP_OK, Answer(b""), Answer(b"")) as (app, client):
        await send(client)
        with pytest.raises(AppRequestError):
            await send(client)

    assert len(app.requests) == 3


async def test_cancelled_request():
    """A cancelled request's connection is closed: no late response meets another."""
    async with open_client(KEEP_OK, Answer(b"", "hold")) as (app, client):
        await send(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, request(), TURN)
            await app.wait_requests(2)
            nursery.cancel_scope.cancel()
        await app.wait_all_closed()
        await send(client)

    assert [each.connection for each in app.requests] == [1, 1, 2]


async def test_close():
    """Closing the client closes the connections that it kept."""
    async with open_app() as app:
        client = HttpTransport(("127.0.0.1", app.port), IDLE_LIMIT)
        await send(client)

        client.close()

        await app.wait_all_closed()


async def test_head_has_no_body():
    """The response to HEAD ends with its head, whatever length it names."""
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    async with open_client(Answer(raw, "keep")) as (_app, client):
        response = await send(client, b"HEAD")

    assert response.body == b""


LATE = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nanother"


@pytest.mark.parametrize(
    ("method", "head"),
    [
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9", id="HEAD"),
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK\r\netag: x", id="HEAD, no length"),
        pytest.param(b"GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 9", id="204"),
        pytest.param(
            b"GET", b"HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked", id="304"
        ),
    ],
)
async def test_late_body_is_no_response(method, head):
    """An unexpected body that arrives late is not taken for a response.

    It comes once the next request was sent, when no look at the connection tells.
    """
    async with open_client(Answer(head + b"\r\n\r\n", "keep"), Answer(LATE + OK)) as (
        app,
        client,
    ):
        first = await send(client, method)
        await send(client)

    assert first.body == b""
    assert app.connections == 2


def pieces_of(response: Response) -> Stream:
    """Return the body of a response that is streamed."""
    assert not isinstance(response.body, bytes)
    return response.body


async def read(response: Response) -> bytes:
    """Read a streamed body to its end."""
    with trio.fail_after(10):
        return b"".join([part async for piece in pieces_of(response) for part in piece])


async def send_streamed(client: HttpTransport, *arguments: bytes) -> Response:
    """Send, and return as soon as the head is there."""
    with trio.fail_after(10):
        return await client.send(request(*arguments), STREAMED)


@pytest.mark.parametrize("answer", of(ANSWERS))
async def test_ways_of_answering_piece_by_piece(answer):
    """The pieces of a response are its body, however the application ends it."""
    async with open_client(answer) as (_app, client):
        first = await send_streamed(client)
        body = await read(first)
        second = await send(client)

    assert (first.status, body) == (200, b"body")
    assert (second.status, second.body) == (200, b"ok")


@pytest.mark.parametrize("answer", of(FAULTS))
async def test_faulty_answers_piece_by_piece(answer):
    """An invalid response fails, at its head or within its body."""
    async with open_client(answer) as (app, client):
        with pytest.raises(AppRequestError) as caught:
            await read(await send_streamed(client, b"GET", b"/path?secret"))
        await app.wait_all_closed()
        following = await send(client)

    assert "secret" not in str(caught.value)
    assert following.body == b"ok"


async def test_head_comes_before_the_body():
    """A streamed response begins with its head; each piece follows as it arrives."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
    async with open_client(Answer(head, "more")) as (app, client):
        response = await send_streamed(client)
        pieces = []
        with trio.fail_after(5):
            for piece in (b"one", b"two"):
                await app.say(piece, "more" if piece == b"one" else "keep")
                pieces.append(b"".join(await anext(pieces_of(response))))
            with pytest.raises(StopAsyncIteration):
                await anext(pieces_of(response))

    assert (response.status, pieces) == (200, [b"one", b"two"])


async def test_connection_is_kept_after_a_stream():
    """A body that was read to its end leaves its connection for the next request."""
    async with open_client() as (app, client):
        for _ in range(3):
            assert await read(await send_streamed(client)) == b"ok"
        await send(client)

    assert app.connections == 1


async def test_connection_is_in_use_during_a_stream():
    """A request during a stream gets another connection."""
    half = Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha", "more")
    async with open_client(half) as (app, client):
        response = await send_streamed(client)
        other = await send(client)
        await app.say(b"lf", "keep")
        body = await read(response)

    assert (other.body, body) == (b"ok", b"half")
    assert [each.connection for each in app.requests] == [1, 2]


@pytest.mark.parametrize("pieces", [0, 1])
async def test_body_that_is_closed(pieces):
    """Closing a body before its end closes its connection immediately.

    Even if nothing of it was read.
    """
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf"
    async with open_client(Answer(head, "hold")) as (app, client):
        response = await send_streamed(client)
        for _ in range(pieces):
            assert await anext(pieces_of(response)) == (b"half",)

        await pieces_of(response).aclose()

        await app.wait_all_closed()


async def test_cancelled_body():
    """Cancelling the wait for a piece closes the connection."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"
    async with open_client(Answer(head, "hold")) as (app, client):
        response = await send_streamed(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, response)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

        await app.wait_all_closed()


async def test_idempotent_request_is_repeated_for_a_stream():
    """A dead kept connection does not fail a stream either."""
    async with open_client(KEEP_OK, Answer(b"")) as (app, client):
        await send(client)
        body = await read(await send_streamed(client))

    assert body == b"ok"
    assert [each.connection for each in app.requests] == [1, 1, 2]


async def test_stream_that_breaks_off_is_never_repeated():
    """A request whose response has begun is not repeated."""
    half = Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha")
    async with open_client(KEEP_OK, half) as (app, client):
        await send(client)
        with pytest.raises(AppRequestError):
            await read(await send_streamed(client))

    assert len(app.requests) == 2


async def test_stream_has_no_limit():
    """A streamed body may be larger than any reply."""
    size = 3 * MAX_REPLY
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + bytes(size)
    async with open_client(Answer(answer)) as (_app, client):
        assert len(await read(await send_streamed(client))) == size
