"""Connect to the first address of a host that accepts, or to a Unix socket."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import socket

import trio

from lambda_adapter.errors import NotListeningError, PeerError
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.messages import Address, authority
from lambda_adapter.http.wire import Wire

new_socket = socket.socket
"""Python's own class, even if an application in this process replaces it later. With
PySocks's, the adapter would connect to Lambda through the application's proxy."""

Peer = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]

LOOPBACK = ("::1", "127.0.0.1")
"""The addresses of ``localhost``: https://www.rfc-editor.org/rfc/rfc6761#section-6.3"""

NOT_LISTENING = frozenset({errno.ECONNREFUSED, errno.ENOENT})
"""Errors of connecting to a server that does not listen yet, or has exited. The second
one is for Unix sockets: https://man7.org/linux/man-pages/man2/connect.2.html"""

CONNECT_INTERVAL = 0.01
"""Seconds between two attempts to connect while nothing listens: supervisors restart an
application within milliseconds."""

FULL_BACKLOG_PAUSE = 0.005
"""Seconds between two attempts to connect to a Unix socket whose backlog is full."""


async def open_connection(address: Address) -> Connection:
    """Connect to a Unix socket, or to the first address of a host that accepts.

    Raises:
        NotListeningError: nothing listens there.
        PeerError: the connection failed for another reason.
    """
    if isinstance(address, str):
        return await _open_unix_connection(address)
    host, port = address
    last = OSError("it has no address")
    try:
        for family, peer in await _resolve_host(host, port):
            try:
                return await _open_tcp_connection(family, peer)
            except OSError as error:
                # Of several addresses, one may have no network at all: ::1, often.
                # "Refused" by another one is what counts then, because connecting may
                # succeed later.
                if last.errno not in NOT_LISTENING:
                    last = error
    except OSError as error:
        last = error
    except UnicodeError as error:  # not a valid host name
        last = OSError(str(error))
    raise _no_connection(f"{host}:{port}", last)


def _no_connection(peer: str, error: OSError) -> PeerError:
    message = f"no connection to {peer}: {error.strerror or error}"
    if error.errno in NOT_LISTENING:
        return NotListeningError(message)
    return PeerError(message, answered=False)


async def _resolve_host(
    host: str, port: int
) -> list[tuple[socket.AddressFamily, Peer]]:
    """Return the addresses of a host, with their families.

    ``localhost`` and numeric addresses need no resolver, which would take a thread and
    modules of trio that nothing else needs.

    Raises:
        OSError: the host has no address.
    """
    known = LOOPBACK if host.lower() == "localhost" else (host,)
    try:
        return [(_address_family(each), (each, port)) for each in known]
    except OSError:  # not a numeric address
        return await _look_up(host, port)


async def _look_up(host: str, port: int) -> list[tuple[socket.AddressFamily, Peer]]:
    try:
        from trio.socket import getaddrinfo
    except ImportError:  # the native file includes only trio's core
        from trio.to_thread import run_sync

        look_up = functools.partial(socket.getaddrinfo, type=socket.SOCK_STREAM)
        found = await run_sync(look_up, host, port, abandon_on_cancel=True)
        return [(family, peer) for family, _, _, _, peer in found]
    result = await getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, peer) for family, _, _, _, peer in result]


def _address_family(host: str) -> socket.AddressFamily:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    socket.inet_pton(family, host)
    return family


class Knocker:
    """Connects to one address again and again, until something listens there.

    On loopback two system calls say that nothing does, and the same socket may try
    again; ``open_connection`` takes several times as many for each try.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._code = 0

    def is_refused(self) -> bool:
        """Return whether nothing listens; False if only waiting could tell.

        It never waits. A connection that this makes is for ``open_connection``.
        """
        # Only loopback decides a connect before the call returns.
        if isinstance(self._address, str) or self._address[0] not in LOOPBACK:
            return False
        host, port = self._address
        self._socket = self._socket or _tcp_socket(_address_family(host))
        self._code = _begin_connect(self._socket, (host, port))
        return self._code == errno.ECONNREFUSED

    async def open_connection(self) -> Connection:
        """Return the connection that was made, or connect as the function does.

        Raises:
            PeerError: there is none.
        """
        if not self._socket or self._code == errno.ECONNREFUSED:
            return await open_connection(self._address)
        sock, self._socket = self._socket, None
        try:
            return await _finish_connecting(sock, self._code)
        except OSError as error:
            raise _no_connection(authority(self._address).decode(), error) from error

    def close(self) -> None:
        """Close the socket that no connection was made of."""
        if self._socket:
            self._socket.close()
            self._socket = None


async def _open_tcp_connection(family: socket.AddressFamily, peer: Peer) -> Connection:
    sock = _tcp_socket(family)
    return await _finish_connecting(sock, _begin_connect(sock, peer))


def _tcp_socket(family: socket.AddressFamily) -> socket.socket:
    sock = new_socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    # A request and its body are two writes at most; neither waits for an ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _begin_connect(sock: socket.socket, peer: Peer) -> int:
    # A first call that may not block always says EINPROGRESS. On loopback the handshake
    # is over by then, and a second call says how it ended, without a wait in trio.
    code = sock.connect_ex(peer)
    return sock.connect_ex(peer) if code == errno.EINPROGRESS else code


async def _finish_connecting(sock: socket.socket, code: int) -> Connection:
    try:
        if code == errno.EALREADY:
            await trio.lowlevel.wait_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code not in (0, errno.EISCONN):
            raise OSError(code, os.strerror(code))
    except BaseException:
        # A cancellation as well: readiness checks are cut off by a timeout.
        sock.close()
        raise
    return Connection(Wire(sock))


async def _open_unix_connection(path: str) -> Connection:
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(new_socket(socket.AF_UNIX, kind))
        while True:
            try:
                sock.connect(path)
            except BlockingIOError:  # the backlog is full, and no event reports room
                await trio.sleep(FULL_BACKLOG_PAUSE)
            except OSError as error:
                raise _no_connection(path, error) from None
            else:
                stack.pop_all()
                return Connection(Wire(sock))
