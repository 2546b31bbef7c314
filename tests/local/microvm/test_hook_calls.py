"""Lambda's calls of hooks, as bytes at the wire."""

import socket
import ssl

import pytest
import trio

from lambda_adapter.local.microvm.hook_calls import NoResponseError, call_hook


class Peer:
    """Accepts a probe, and then a call that it answers with bytes."""

    def __init__(self, answer: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.received: list[bytes] = []
        self._answer = answer

    async def run(self) -> None:
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self.listener))
        async with listener:
            async with await listener.accept() as probe:
                self.received.append(bytes(await probe.receive_some()))
            async with await listener.accept() as call:
                self.received.append(bytes(await call.receive_some()))
                await call.send_all(self._answer)


async def call(answer: bytes) -> tuple[int, list[bytes]]:
    """Return the status of a call that is answered so, and what was received."""
    peer = Peer(answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.run)
        with trio.fail_after(20):
            status = await call_hook(peer.port, "run", b"{}")
    return status, peer.received


async def test_a_call():
    """A call is a POST from this machine with ``localhost`` as its host."""
    status, (_, request) = await call(b"HTTP/1.1 503 x\r\n\r\n")

    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    assert (status, body) == (503, b"{}")
    assert line == b"POST /aws/lambda-microvms/runtime/v1/run HTTP/1.1"
    assert headers[0].startswith(b"Host: localhost:")
    assert b"Content-Length: 2" in headers


async def test_the_probe():
    """The probe is the first part of a TLS handshake that a TLS server understands."""
    _, (probe, _) = await call(b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 x\r\n\r\n")

    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(probe)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(
        incoming, outgoing, server_side=True
    )
    # Without a certificate: a handshake that gets as far as this was understood.
    with pytest.raises(ssl.SSLError, match=r"NO_SHARED_CIPHER|no shared cipher"):
        server.do_handshake()


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01", b"HTTP/1.1 200"])
async def test_no_response(answer: bytes):
    """A connection that ends without a response is reported."""
    peer = Peer(answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.run)
        with pytest.raises(NoResponseError):
            await call_hook(peer.port, "run", b"{}")
        nursery.cancel_scope.cancel()


async def test_nobody_listens():
    """A port on which nothing listens is reported."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NoResponseError):
        await call_hook(port, "ready", b"{}")
