"""``exchange``: what an ASGI application may do late, wrongly or after its client."""

import pytest
import trio

from tests.app.calls import body_of, http_event, turn_of
from tests.app.in_process.asgi.test_transport import (  # noqa: F401 - fixtures
    LOOPS,
    ask,
    lines,
    open_transport,
    transport,
)
from tests.programs.asgi_app import note, respond, together, wait

FAR = 3_600
"""Seconds to a deadline that no test waits for."""


async def short(scope, receive, send):
    """Send fewer bytes than were declared."""
    await respond(send, headers=[(b"content-length", b"9")])


async def adds(scope, receive, send):
    """Send a piece from another task, while the last one has not been taken."""

    async def add():
        await wait(0)
        try:
            await send({"type": "http.response.body", "body": b"more"})
        except RuntimeError as error:
            note(f"refused: {error}")

    async def answer():
        await respond(send)

    await together(answer, add)


async def starts_and_raises(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    raise ValueError("a secret reason")


async def raises(scope, receive, send):
    raise ValueError("a secret reason")


async def hears_late(scope, receive, send):
    """Ask for the client's end only once it is known to be gone."""
    await receive()
    try:
        await send_without_end(send)
    except OSError:
        note((await receive())["type"])


async def send_without_end(send):
    await send({"type": "http.response.start", "status": 200})
    while True:
        piece = {"type": "http.response.body", "body": b"x", "more_body": True}
        await send(piece)


async def ignores(scope, receive, send):
    """Go on sending to a client that is gone, and end after a while."""
    gone = 0
    await send({"type": "http.response.start", "status": 200})
    while gone < 3:
        piece = {"type": "http.response.body", "body": b"x", "more_body": True}
        try:
            await send(piece)
        except OSError:
            gone += 1
    note(f"gone {gone} times")


async def fails_when_gone(scope, receive, send):
    try:
        await send_without_end(send)
    except OSError:
        raise ValueError("what the log needs") from None


async def listens_on(scope, receive, send):
    """Wait for the client's end in a task of its own, after the whole response."""
    await receive()

    async def listen():
        note((await receive())["type"])

    async def answer():
        await respond(send)

    await together(listen, answer)


APPS = {
    app.__name__: app
    for app in (
        *(short, adds, starts_and_raises, raises, hears_late, ignores),
        *(fails_when_gone, listens_on),
    )
}


async def app(scope, receive, send):
    await APPS[scope["path"].strip("/")](scope, receive, send)


@pytest.fixture(params=LOOPS)
async def asked(request):
    """What sends a request to one of these applications."""
    async with open_transport(request.param, app) as transport:  # noqa: F811 - its own
        yield transport


async def test_body_shorter_than_declared(asked):
    """A body with fewer bytes than its Content-Length is a 500."""
    response, _ = await ask(asked, "/short")

    assert response.status == 500


@pytest.mark.parametrize("streamed", [False, True])
async def test_piece_after_the_last_one(asked, capfd, streamed):
    """A piece after the last one raises, and adds nothing to the response."""
    _, body = await ask(asked, "/adds", streamed=streamed)

    assert body == b"ok"
    refused = "refused: http.response.body after the response was complete\n"
    assert capfd.readouterr().err == refused


@pytest.mark.parametrize("path", ["raises", "starts_and_raises"])
async def test_stream_that_fails_before_its_first_piece(asked, path):
    """A streamed response that fails before its first piece is a 500."""
    response, body = await ask(asked, f"/{path}", streamed=True)

    assert response.status == 500
    assert b"secret" not in body


async def give_up(asked, path):
    """Take a piece of a stream, and let go of it, long before its deadline."""
    call, request = turn_of(http_event(path), streamed=True, seconds=FAR)
    response = await asked.send(request, call)
    await anext(response.body)
    await response.body.aclose()
    with trio.fail_after(5):
        await asked.finish(call.deadline)


async def test_receive_after_giving_up(asked, capfd):
    """``receive`` reports immediately that the client is gone."""
    await give_up(asked, "/hears_late")

    assert capfd.readouterr().err == "http.disconnect\n"


async def test_sender_who_ignores_that_nobody_listens(asked, capfd):
    """Each ``send`` to a client that is gone raises, and its end is not waited for."""
    await give_up(asked, "/ignores")

    assert capfd.readouterr().err == "gone 3 times\n"


async def test_failure_after_giving_up(asked, lines):  # noqa: F811 - the fixture
    """An application that fails because its client is gone is logged."""
    await give_up(asked, "/fails_when_gone")

    assert "ValueError: what the log needs" in lines.text


async def test_finish_where_a_receive_waits(asked, capfd):
    """The end of a response ends a waiting ``receive``, without waiting for it."""
    call, request = turn_of(http_event("/listens_on"), seconds=FAR)
    response = await asked.send(request, call)
    await body_of(response)
    with trio.fail_after(5):
        await asked.finish(call.deadline)

    assert capfd.readouterr().err == "http.disconnect\n"


@pytest.mark.parametrize("loop", [loop for loop in LOOPS if "asyncio" in loop])
async def test_task_at_the_end_of_its_loop(loop, capfd):
    """A task that outlives its request is cancelled when the loop ends."""

    async def leaves_a_task(scope, receive, send):
        import asyncio

        async def work():
            try:
                await wait(FAR)
            except asyncio.CancelledError:
                note("cancelled")
                raise

        kept.append(asyncio.create_task(work()))
        await wait(0)
        await respond(send)

    kept: list[object] = []
    async with open_transport(loop, leaves_a_task) as transport:  # noqa: F811
        await ask(transport, "/")

    assert capfd.readouterr().err == "cancelled\n"
