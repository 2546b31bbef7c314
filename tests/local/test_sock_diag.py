"""The sockets that listen, as the kernel tells."""

import os
import socket
import sys

import pytest

from lambda_adapter.local.sock_diag import listening_sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux")


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_address(family: socket.AddressFamily, host: str):
    """A socket that listens is found by its inode, with its host and port."""
    with socket.create_server((host, 0), family=family) as server:
        found = listening_sockets()[os.fstat(server.fileno()).st_ino]

        assert (found.host, found.port) == server.getsockname()[:2]


def test_connections_that_wait():
    """Connections that nobody has accepted yet are counted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        inode = os.fstat(server.fileno()).st_ino
        client = socket.create_connection(server.getsockname())
        waiting = listening_sockets()[inode].waiting
        server.accept()[0].close()
        accepted = listening_sockets()[inode].waiting
        client.close()

    assert (waiting, accepted) == (1, 0)


def test_more_sockets_than_fit_in_one_answer():
    """All are found, in however many messages the kernel tells of them."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(500)]
    try:
        inodes = {os.fstat(each.fileno()).st_ino for each in servers}

        assert inodes <= listening_sockets().keys()
    finally:
        for each in servers:
            each.close()


def test_connected_socket():
    """A socket that does not listen is left out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        found = listening_sockets()
        inode = os.fstat(client.fileno()).st_ino
        client.close()

    assert inode not in found
