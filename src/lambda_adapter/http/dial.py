"""Connecting: to a host's first address that accepts, or to a Unix socket. Shell."""

import contextlib
import os
import socket

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.wire import Wire
from lambda_adapter.values import Address

FULL_BACKLOG_PAUSE = 0.005
"""Seconds between two tries to connect to a Unix socket that has no room for it."""


async def open_connection(address: Address) -> Connection:
    """Connect to a Unix socket, or to the first address of a host that accepts.

    Raises:
        PeerError: nothing accepts there.
    """
    if isinstance(address, str):
        return await _open_unix_connection(address)
    host, port = address
    last = "it has no address"
    try:
        addresses = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        addresses, last = [], error.strerror or str(error)
    for family, kind, protocol, _, peer in addresses:
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        with contextlib.ExitStack() as stack:
            stack.enter_context(sock)
            try:
                await _connect(sock, peer)
            except OSError as error:
                last = error.strerror or str(error)
            else:
                stack.pop_all()
                return Connection(Wire(sock))
    message = f"no connection to {host}:{port}: {last}"
    raise PeerError(message, answered=False)


async def _open_unix_connection(path: str) -> Connection:
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
        while True:
            try:
                sock.connect(path)
            except BlockingIOError:  # its backlog is full, and nothing tells when not
                await trio.sleep(FULL_BACKLOG_PAUSE)
            except OSError as error:
                message = f"no connection to {path}: {error.strerror or error}"
                raise PeerError(message, answered=False) from None
            else:
                stack.pop_all()
                return Connection(Wire(sock))


async def _connect(
    sock: socket.socket,
    address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
) -> None:
    # A request and its body are two writes at most; neither waits for an ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.connect(address)
    except BlockingIOError:
        await trio.lowlevel.wait_writable(sock)
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code)) from None
