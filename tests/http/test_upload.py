"""``upload``: a request whose body comes piece by piece."""

import contextlib
from collections.abc import AsyncGenerator
from contextlib import closing

import pytest
import trio

from lambda_adapter.http.dial import open_connection
from lambda_adapter.http.encoding import encode_request
from lambda_adapter.http.messages import Request
from lambda_adapter.http.upload import upload
from tests.http.test_connection import REFUSAL, receive_head
from tests.scripted_app import OK, Answer, open_app, open_server

LIMIT = 1_000_000
UPLOAD = encode_request(
    Request(
        b"POST", b"/", [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    )
)


async def frames(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        await trio.lowlevel.checkpoint()
        yield piece


async def test_upload():
    """A head goes out, then each piece as it is, and the response is returned."""
    received = bytearray()

    async def take(stream: trio.SocketStream) -> None:
        while not received.endswith(b"end"):
            received.extend(await stream.receive_some())
        await stream.send_all(OK)

    async with open_server(take) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                response = await upload(
                    connection, UPLOAD, frames(b"one", b"x" * 5_000_000, b"end"), LIMIT
                )

    assert response.body == b"ok"
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert body == b"one" + b"x" * 5_000_000 + b"end"


async def test_upload_is_answered_early():
    """A response ends an upload: no more pieces are asked for, were they endless."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        while True:
            await trio.lowlevel.checkpoint()
            yield b"x" * 100_000

    async def refuse(stream: trio.SocketStream) -> None:
        await receive_head(stream)
        await stream.send_all(REFUSAL)
        await gone.wait()

    gone = trio.Event()
    async with open_server(refuse) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                async with contextlib.aclosing(pieces()) as endless:
                    response = await upload(connection, UPLOAD, endless, LIMIT)

            assert (response.status, response.body) == (413, b"early")
            assert not connection.reusable
            gone.set()


async def test_upload_that_breaks():
    """A piece that fails fails the upload, and the connection is of no more use."""

    async def fail() -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise ZeroDivisionError

    async with open_app(Answer(b"", "hold")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5), pytest.raises(ZeroDivisionError):
                await upload(connection, UPLOAD, fail(), LIMIT)

            assert not connection.reusable
