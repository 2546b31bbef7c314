"""``connection``: exchanges over a connection, and uploads piece by piece."""

import contextlib
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import closing

import pytest
import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.connect import Knocker, open_connection
from lambda_adapter.http.connection import Connection, upload
from lambda_adapter.http.encoding import encode_request
from lambda_adapter.http.messages import Parts, Request
from lambda_adapter.http.parser import ResponseParser
from lambda_adapter.http.wire import Wire
from tests.ports import free_port
from tests.scripted_app import (
    OK,
    Answer,
    ScriptedApp,
    open_app,
    open_server,
    open_unix_server,
    reset,
)

GET = encode_request(Request(b"GET", b"/", [(b"host", b"localhost")]))
LARGE = encode_request(
    Request(
        b"POST",
        b"/",
        [(b"host", b"localhost"), (b"content-length", b"10000000")],
        b"x" * 10_000_000,
    )
)
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nearly"
LIMIT = 1_000_000


async def receive_head(stream: trio.SocketStream) -> bytes:
    """Read a little of a request that is more than the system's buffers hold."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    data = await stream.receive_some(100)
    assert data
    return bytes(data)


async def test_exchanges_follow_each_other_on_one_connection():
    """Each exchange returns its response, and leaves the connection reusable."""
    async with open_app() as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5):
                responses = [await connection.exchange(GET, LIMIT) for _ in range(3)]

            assert [each.body for each in responses] == [b"ok"] * 3
            assert (connection.exchanges, connection.reusable) == (3, True)
            assert not connection.is_stale()
    assert app.connections == 1


async def test_closed_by_the_peer_is_stale():
    """A connection that its peer closed while it was idle is stale."""
    async with open_app(Answer(OK)) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5):
                await connection.exchange(GET, LIMIT)
            await app.wait_all_closed()

            assert connection.is_stale()


async def test_unasked_bytes_make_stale():
    """An idle connection with unsolicited bytes is not used again."""
    async with open_server(lambda stream: stream.send_all(OK)) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                while not connection.is_stale():
                    await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("then", ["hold", "close", "reset"])
async def test_early_answer(then):
    """A response that arrives before the whole request is sent is accepted.

    Whatever the peer does with the rest; the connection then is of no more use.
    """

    async def refuse(stream: trio.SocketStream) -> None:
        await receive_head(stream)
        await stream.send_all(REFUSAL)
        if then == "hold":
            await gone.wait()
        if then == "reset":
            reset(stream)

    gone = trio.Event()
    async with open_server(refuse) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                response = await connection.exchange(LARGE, LIMIT)

            assert (response.status, response.body) == (413, b"early")
            assert not connection.reusable
            gone.set()


async def test_interim_answer_is_not_the_early_answer():
    """A 1xx response does not stop the request."""

    async def hint_then_answer(stream: trio.SocketStream) -> None:
        taken = len(await receive_head(stream))
        await stream.send_all(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n")
        while taken < len(LARGE.body):
            data = await stream.receive_some()
            assert data
            taken += len(data)
        await stream.send_all(OK)

    async with open_server(hint_then_answer) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                response = await connection.exchange(LARGE, LIMIT)

            assert response.status == 200


async def test_slow_reader_gets_all():
    """A peer that reads slowly gets every byte of the request."""

    async def sip(stream: trio.SocketStream) -> None:
        while len(taken) < len(LARGE.head) + len(LARGE.body):
            data = await stream.receive_some(10_000)
            assert data
            taken.extend(data)
        await stream.send_all(OK)

    taken = bytearray()
    async with open_server(sip) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            await connection.exchange(LARGE, LIMIT)

    assert taken == LARGE.head + LARGE.body


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        pytest.param(Answer(b""), False, id="closed"),
        pytest.param(Answer(b"", "reset"), False, id="reset"),
        pytest.param(Answer(b"HTTP/1.1 2"), True, id="closed within the head"),
        pytest.param(Answer(b"HTTP/1.1 2", "reset"), True, id="reset within the head"),
        pytest.param(Answer(OK[:-1]), True, id="closed within the body"),
        pytest.param(Answer(b"220 smtp.example.com\r\n"), True, id="not HTTP"),
    ],
)
async def test_failed_exchange(answer, answered):
    """The error says whether any byte arrived; the connection is not reused."""
    async with open_app(answer) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5), pytest.raises(PeerError) as caught:
                await connection.exchange(GET, LIMIT)

            assert caught.value.answered is answered
            assert (connection.exchanges, connection.reusable) == (0, False)


async def test_cancelled_exchange_leaves_it_unusable():
    """A connection is unusable after a cancelled exchange: its state is unknown."""
    async with open_app(Answer(OK, "keep"), Answer(b"", "hold")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5):
                await connection.exchange(GET, LIMIT)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.exchange, GET, LIMIT)
                await app.wait_requests(2)
                nursery.cancel_scope.cancel()

            assert not connection.reusable


async def test_endless_answer_does_not_keep_deadlines_from_passing():
    """A peer that never stops sending is cut off at the deadline.

    It is a thread, so that it has more ready each time, in chunks that take long.
    """

    def never_end() -> None:
        sock, _ = listener.accept()
        with sock, contextlib.suppress(ConnectionError):
            sock.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            while True:
                sock.sendall(b"1\r\nx\r\n" * 10_000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = threading.Thread(target=never_end)
        peer.start()
        connection = await open_connection(listener.getsockname())
        with closing(connection), trio.move_on_after(0.05) as scope:
            await connection.exchange(GET, LIMIT)
        peer.join()

    assert scope.cancelled_caught


async def test_head_is_enough_for_the_status():
    """``exchange_head`` does not wait for a body, however long that takes."""
    head = b"HTTP/1.1 503 Not Yet\r\ncontent-length: 1000\r\n\r\n"
    async with open_app(Answer(head, "hold")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5):
                response, _ = await connection.exchange_head(GET)

    assert response.status == 503


async def test_body_after_a_head():
    """The body arrives in pieces, and its end completes the exchange."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
    async with open_app(Answer(head, "more")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            pieces: list[bytes] = []
            with trio.fail_after(5):
                _, body = await connection.exchange_head(GET)
                assert not connection.reusable
                await app.say(b"one")
                pieces.append(b"".join(await anext(body)))
                assert not connection.reusable
                await app.say(b"two", "keep")
                pieces += [b"".join(piece) async for piece in body]
                assert (connection.exchanges, connection.reusable) == (1, True)

                response = await connection.exchange(GET, LIMIT)

    assert pieces == [b"one", b"two"]
    assert response.body == b"ok"


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_body_that_breaks_off(then):
    """A truncated body is an error, and its connection is not reused."""
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none"
    async with open_app(Answer(head, "more")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5):
                _, body = await connection.exchange_head(GET)
                assert await anext(body) == (b"one",)
                await app.say(b"", then)
                with pytest.raises(PeerError) as caught:
                    await anext(body)

            assert caught.value.answered
            assert not connection.reusable


async def test_close_twice():
    """Closing a closed connection does nothing."""
    async with open_app() as app:
        connection = await open_connection(("127.0.0.1", app.port))

        connection.close()
        connection.close()

        await app.wait_all_closed()


async def test_close_wakes_who_waits():
    """An exchange under way does not outlive its connection, nor hang."""
    async with open_app(Answer(b"", "hold")) as app:
        connection = await open_connection(("127.0.0.1", app.port))
        with trio.fail_after(5), pytest.RaisesGroup(trio.ClosedResourceError):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.exchange, GET, LIMIT)
                await app.wait_requests(1)
                connection.close()


async def test_nothing_listens():
    """If nothing accepts, the error names the address and the reason."""
    port = free_port()

    with trio.fail_after(5), pytest.raises(PeerError) as caught:
        await open_connection(("127.0.0.1", port))

    assert str(caught.value) == (
        f"no connection to 127.0.0.1:{port}: Connection refused"
    )
    assert not caught.value.answered


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_knocking(host):
    """One socket tries an address again and again, and becomes the connection.

    So the application accepts no connection that asks for nothing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError as error:
        pytest.skip(f"{host} is not to be had here: {error}")
    address = host, listener.getsockname()[1]
    listener.close()
    with closing(Knocker(address)) as knocker:
        assert [knocker.is_refused() for _ in range(3)] == [True] * 3
        with socket.create_server(address, family=family) as listener:
            assert not knocker.is_refused()
            with trio.fail_after(5):
                connection = await knocker.open_connection()
            with closing(connection) as one:
                accepted, peer = listener.accept()
                accepted.close()
                assert one.wire.socket.getsockname() == peer
                listener.setblocking(False)
                with pytest.raises(BlockingIOError):
                    listener.accept()
        assert knocker.is_refused()


async def test_knocking_where_nobody_accepts():
    """With a full backlog, a try returns immediately, and connecting waits."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),
        closing(Knocker(listener.getsockname())) as knocker,
    ):
        assert not knocker.is_refused()
        with trio.move_on_after(0.1):
            (await knocker.open_connection()).close()
        while not knocker.is_refused():  # the backlog has room for others, or not
            listener.close()


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("two.example", 80), "/socket"])
async def test_knocking_elsewhere(address):
    """Only loopback addresses are checked without waiting."""
    with closing(Knocker(address)) as knocker:
        assert not knocker.is_refused()


async def test_knocking_says_what_connecting_says():
    """A refused connection has the same error, however it was opened."""
    port = free_port()
    with closing(Knocker(("127.0.0.1", port))) as knocker:
        assert knocker.is_refused()
        with trio.fail_after(5), pytest.raises(PeerError) as caught:
            await knocker.open_connection()

    assert str(caught.value) == (
        f"no connection to 127.0.0.1:{port}: Connection refused"
    )


async def test_host_without_address():
    """A host that does not exist is a failed connection like any other."""
    with trio.fail_after(10), pytest.raises(PeerError, match=r"host\.invalid:80"):
        await open_connection(("host.invalid", 80))


class NotAsked(trio.abc.HostnameResolver):
    """A resolver, whose threads would take longer than the connection."""

    async def getaddrinfo(self, host, *arguments):
        raise AssertionError(f"asked for {host}")

    async def getnameinfo(self, sockaddr, flags):
        raise AssertionError(f"asked for {sockaddr}")


@pytest.mark.parametrize("listening", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("host", ["numeric", "localhost"])
async def test_loopback_needs_no_resolver(host, listening):
    """Numeric addresses and ``localhost`` need no resolver."""
    trio.socket.set_custom_hostname_resolver(NotAsked())
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    try:
        listener = socket.create_server((listening, 0), family=family)
    except OSError as error:
        pytest.skip(f"{listening} is not to be had here: {error}")
    with listener, trio.fail_after(5):
        address = listening if host == "numeric" else host, listener.getsockname()[1]
        (await open_connection(address)).close()


class TwoAddresses(trio.abc.HostnameResolver):
    """A host of two addresses, as ``localhost`` often is. Nothing listens on the first.

    Here both are IPv4: not every machine has another kind.
    """

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002
        assert host == b"two.example"
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", port))]

    async def getnameinfo(self, sockaddr, flags):
        raise NotImplementedError


async def test_every_address_is_tried():
    """A host may have several addresses, and an application may listen on either."""
    trio.socket.set_custom_hostname_resolver(TwoAddresses())
    async with open_app() as app:
        with trio.fail_after(5):
            with closing(await open_connection(("two.example", app.port))) as one:
                response = await one.exchange(GET, LIMIT)

    assert response.body == b"ok"


async def test_no_address_accepts():
    """If no address accepts, the error names the host and the last reason."""
    trio.socket.set_custom_hostname_resolver(TwoAddresses())

    with trio.fail_after(5), pytest.raises(PeerError, match=r"two\.example:\d+: Conn"):
        await open_connection(("two.example", free_port()))


async def test_unix_socket(tmp_path):
    """An address that is a path is a Unix socket, and HTTP works over it."""
    path = str(tmp_path / "app.sock")
    app = ScriptedApp()
    async with open_unix_server(app.serve, path):
        with trio.fail_after(5):
            with closing(await open_connection(path)) as connection:
                responses = [await connection.exchange(GET, LIMIT) for _ in range(2)]

    assert [response.body for response in responses] == [b"ok", b"ok"]
    assert [each.connection for each in app.requests] == [1, 1]


async def test_nothing_listens_on_a_unix_socket(tmp_path):
    """The error names a Unix socket that is missing or unused, and the reason."""
    path = str(tmp_path / "app.sock")

    with pytest.raises(PeerError) as caught:
        await open_connection(path)
    assert str(caught.value) == f"no connection to {path}: No such file or directory"

    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path)
    with pytest.raises(PeerError, match="Connection refused"):
        await open_connection(path)


async def test_unix_socket_without_room(tmp_path):
    """Connecting waits for a server that accepts slowly."""
    path = str(tmp_path / "app.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(0)
        with trio.fail_after(5):
            with closing(await open_connection(path)):
                with trio.move_on_after(0.05) as scope:
                    await open_connection(path)
                assert scope.cancelled_caught
                listening.accept()[0].close()
                (await open_connection(path)).close()


LIMIT_OF_UPLOAD = 1_000_000
UPLOAD = encode_request(
    Request(
        b"POST", b"/", [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    )
)


async def frames(
    *pieces: Parts,
) -> AsyncGenerator[Parts, None]:
    for piece in pieces:
        await trio.lowlevel.checkpoint()
        yield piece


async def test_upload():
    """The head is sent, then each piece unchanged, and the response is returned.

    A piece in parts, and larger than what the peer takes at once, arrives whole.
    """
    received = bytearray()
    large = b"x" * 5_000_000

    async def take(stream: trio.SocketStream) -> None:
        while not received.endswith(b"end"):
            received.extend(await stream.receive_some())
        await stream.send_all(OK)

    async with open_server(take) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                response = await upload(
                    connection,
                    UPLOAD,
                    frames((b"one",), (b"2\r\n", large, b"3\r\n"), (b"end",)),
                    LIMIT_OF_UPLOAD,
                )

    assert response.body == b"ok"
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert body == b"one2\r\n" + large + b"3\r\nend"


async def test_parts_of_a_piece_are_sent_together():
    """A piece is sent by one system call, however many parts it has.

    Each is one packet to a peer that is told where a packet ends.
    """
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with far, closing(Connection(Wire(near))) as connection:
        parser = ResponseParser(b"POST")
        for parts in (b"5\r\n", b"first", b"\r\n"), (b"0\r\n\r\n",):
            assert await connection.send(parser, trio.current_time() + 5, *parts)
        packets = [far.recv(1_000) for _ in range(2)]

    assert packets == [b"5\r\nfirst\r\n", b"0\r\n\r\n"]


async def test_upload_is_answered_early():
    """A response ends an upload, even an endless one."""

    async def pieces() -> AsyncGenerator[Parts, None]:
        while True:
            await trio.lowlevel.checkpoint()
            yield (b"x" * 100_000,)

    async def refuse(stream: trio.SocketStream) -> None:
        await receive_head(stream)
        await stream.send_all(REFUSAL)
        await gone.wait()

    gone = trio.Event()
    async with open_server(refuse) as port:
        with closing(await open_connection(("127.0.0.1", port))) as connection:
            with trio.fail_after(5):
                async with contextlib.aclosing(pieces()) as endless:
                    response = await upload(
                        connection, UPLOAD, endless, LIMIT_OF_UPLOAD
                    )

            assert (response.status, response.body) == (413, b"early")
            assert not connection.reusable
            gone.set()


async def test_upload_that_breaks():
    """A piece that raises fails the upload, and the connection is not reused."""

    async def fail() -> AsyncGenerator[Parts, None]:
        yield (b"one",)
        raise ZeroDivisionError

    async with open_app(Answer(b"", "hold")) as app:
        with closing(await open_connection(("127.0.0.1", app.port))) as connection:
            with trio.fail_after(5), pytest.raises(ZeroDivisionError):
                await upload(connection, UPLOAD, fail(), LIMIT_OF_UPLOAD)

            assert not connection.reusable
