"""The port of a MicroVM's hooks, at the level of bytes."""

import contextlib
import socket

import pytest

from tests.microvm.lambda_side import PATIENCE, PREFIX, open_microvm


@pytest.fixture(scope="module")
def microvm():
    """A MicroVM whose application is ready."""
    with open_microvm(AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH="/after") as microvm:
        microvm.build("ready")
        yield microvm


def exchange(microvm, data: bytes, address: str = "127.0.0.1") -> bytes:
    """Send bytes, and return all that comes back."""
    with socket.create_connection((address, microvm.hooks), PATIENCE) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                received += piece
        return received


def head(microvm, name: str, *fields: str) -> bytes:
    lines = [f"POST {PREFIX}{name} HTTP/1.1", f"Host: localhost:{microvm.hooks}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode()


def test_tls_probe(microvm):
    """The start of a TLS handshake is answered by closing, and the next call works."""
    assert microvm.probe() == b""
    assert microvm.hook("ready") == 200


def test_silent_connections(microvm):
    """A connection that sends nothing holds up no hook."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            silent = socket.create_connection(("127.0.0.1", microvm.hooks), PATIENCE)
            stack.enter_context(silent)

        assert microvm.hook("ready") == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_all_addresses(microvm, address):
    """Hooks are served on all addresses, loopback and the others."""
    if ":" in address and not socket.has_ipv6:
        pytest.skip("no IPv6")
    try:
        reply = exchange(microvm, head(microvm, "ready"), address)
    except OSError:
        if ":" in address:
            pytest.skip("no IPv6 on this machine")
        raise

    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "path", ["", "other", "ready/x", "../v1/ready", "Ready", "ready%20"]
)
def test_unknown_hooks(microvm, path):
    """The path of an unknown hook is a 404."""
    assert exchange(microvm, head(microvm, path)).startswith(b"HTTP/1.1 404 ")


def test_the_applications_port(microvm):
    """A hook's path on the application's port is a request, and calls no hook."""
    for name in ("ready", "run", "terminate"):
        data = head(microvm, name, "Content-Length: 0", "Connection: close")
        with socket.create_connection(("127.0.0.1", microvm.app), PATIENCE) as client:
            client.sendall(data)
            assert client.recv(100).startswith(b"HTTP/1.1 204 ")

    assert microvm.process.poll() is None
    assert not microvm.seen("/after")


def test_other_methods(microvm):
    """A hook is called by POST only."""
    data = head(microvm, "ready").replace(b"POST", b"GET")

    assert exchange(microvm, data).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    "fields",
    [
        ["Host: abc.lambda-microvm.eu-west-1.on.aws"],
        ["Host: localhost.evil.example:9000"],
        ["X-aws-proxy-port: 9000"],
        ["X-AWS-Proxy-Auth: token"],
        ["X-Forwarded-For: 192.0.2.1"],
        ["Origin: https://evil.example"],
        ["Sec-Fetch-Mode: no-cors"],
    ],
)
@pytest.mark.parametrize("name", ["ready", "run", "terminate"])
def test_calls_of_clients(microvm, fields, name):
    """A call by the MicroVM's proxy or by a browser is refused, and does nothing."""
    data = head(microvm, name, *fields)
    if fields[0].startswith("Host"):
        data = data.replace(f"Host: localhost:{microvm.hooks}\r\n".encode(), b"")
    before = len(microvm.seen("/after"))

    assert exchange(microvm, data).startswith(b"HTTP/1.1 403 ")

    assert len(microvm.seen("/after")) == before
    assert microvm.process.poll() is None


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (["Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
        (["Transfer-Encoding: chunked"], b"not chunks\r\n"),
        (["Transfer-Encoding: chunked"], b"ffffffff\r\nx"),
        (["Content-Length: 2", "Expect: 100-continue"], b"{}"),
        (["Content-Length: x"], b"{}"),
        (["Content-Length: 100"], b"cut short"),
        (["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], b""),
    ],
)
def test_framings(microvm, fields, body):
    """A body in any framing, even a truncated one, gets status 200."""
    reply = exchange(microvm, head(microvm, "run", *fields) + body)

    assert b"HTTP/1.1 200 OK\r\n" in reply


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"GET /\r\n", b"A" * 100_000])
def test_garbage(microvm, data):
    """What is not HTTP is answered by closing, and the next call works."""
    assert exchange(microvm, data) == b""
    assert microvm.hook("ready") == 200
