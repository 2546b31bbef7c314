"""Call a MicroVM's hooks as Lambda does, by measurements on AWS.

A call comes from 127.0.0.1 with ``Host: localhost:PORT``. Before it, the same port gets
the first part of a TLS handshake, over another connection, as a probe.
"""

import contextlib
import ssl

import h11
import trio

from lambda_adapter.microvm.hook_server import PREFIX

PROBE_TIMEOUT = 1.0
"""Seconds to wait for the end of a probe's connection."""


class NoResponseError(Exception):
    """A call got no response; the message has the reason."""


async def call_hook(port: int, name: str, body: bytes) -> int:
    """POST to a hook on this machine, and return the status of the response.

    Raises:
        NoResponseError: there is no response.
    """
    try:
        await _probe(port)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            return await _post_hook(stream, port, name, body)
    except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        raise NoResponseError(str(error) or type(error).__name__) from error


async def _probe(port: int) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.move_on_after(PROBE_TIMEOUT):
            await stream.send_all(_client_hello())
            with contextlib.suppress(trio.BrokenResourceError):
                await stream.receive_some()


def _client_hello() -> bytes:
    """Return the first part of a TLS handshake."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(received, sent, server_hostname="localhost").do_handshake()
    return sent.read()


async def _post_hook(
    stream: trio.SocketStream, port: int, name: str, body: bytes
) -> int:
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method="POST",
        target=f"{PREFIX}{name}",
        headers=[
            ("Host", f"localhost:{port}"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ],
    )
    parts = (request, h11.Data(data=body), h11.EndOfMessage())
    await stream.send_all(b"".join(connection.send(part) or b"" for part in parts))
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Response):
            return event.status_code
        elif not isinstance(event, h11.InformationalResponse):
            raise NoResponseError("the connection was closed without a response")
