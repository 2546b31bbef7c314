"""The endpoint of a MicroVM: what is held, passed on, closed and refused."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lambda_adapter.local.microvm.testing import MicroVMApp
from lambda_adapter.local.pytest_plugin import StartsMicroVMs
from tests.adapter import measured
from tests.local.microvm.conftest import Starts
from tests.local.terminal import open_terminal
from tests.microvm.lambda_side import UVICORN
from tests.ports import free_ports

ECHO = """
import os, socketserver

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        head = b"".join(iter(self.rfile.readline, b"\\r\\n"))
        if b"Upgrade" not in head:
            self.wfile.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\n\\r\\n")
            return
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n")
        while data := self.connection.recv(100):
            self.wfile.write(data.upper())
        self.wfile.write(b"end")

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
"""An application that switches to a protocol of its own, as WebSockets do."""


class Client:
    """A connection to the endpoint."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 20)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, until: bytes) -> bytes:
        """Return what comes until something does."""
        received = b""
        while until not in received:
            data = self.socket.recv(65_536)
            assert data, received
            received += data
        return received

    def rest(self) -> bytes:
        """Return what comes until the connection ends."""
        with contextlib.suppress(ConnectionResetError):
            return b"".join(iter(lambda: self.socket.recv(65_536), b""))
        return b""


@contextlib.contextmanager
def connected(app: MicroVMApp) -> Iterator[Client]:
    client = Client(app.base_url.port or 0)
    with client.socket:
        yield client


def get(path: str, host: str = "localhost") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def test_traffic_is_held_until_run_is_done():
    """A request that arrives during the image's build is forwarded after ``run``."""
    (port,) = free_ports(1)
    options = ("--microvm", "--port", "0", "--app-port", str(port), "--")
    env = {**measured(), "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/slow/0.5"}
    with open_terminal(*options, *UVICORN, "--port", str(port), env=env) as terminal:
        client = Client(terminal.port)
        with client.socket:
            client.send(get("/early"))
            client.receive(b"204")
            client.send(get("/seen"))
            text = client.receive(b"/early").decode()

    assert text.index("/slow/0.5") < text.index("/early")


def test_any_protocol_is_passed_on(lambda_microvm: StartsMicroVMs):
    """Bytes are forwarded unchanged both ways, and so is the end of one way."""
    app = lambda_microvm([sys.executable, "-c", ECHO], env=measured())

    with connected(app) as client:
        client.send(get("/")[:-2] + b"Upgrade: mine\r\n\r\n")
        client.receive(b"101 Switching Protocols\r\n\r\n")
        client.send(b"hello \xff\0")
        assert client.receive(b"\0") == b"HELLO \xff\0"
        client.socket.shutdown(socket.SHUT_WR)
        assert client.rest() == b"end"


def test_a_suspension_closes_connections(start: Starts):
    """Connections to a MicroVM end when it is suspended, and new ones are served."""
    app = start(UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN="1")
    with connected(app) as idle, connected(app) as busy:
        idle.send(get("/page"))
        idle.receive(b"\r\n\r\n")
        busy.send(get("/hang"))
        app.suspend()

        assert (idle.rest(), busy.rest()) == (b"", b"")
    assert app.get("/page").status_code == 204


def test_the_page_on_a_kept_connection(start: Starts):
    """A browser's connection serves the application, and then the page."""
    app = start()
    with connected(app) as client:
        client.send(get("/page"))
        client.receive(b"\r\n\r\n")
        url = urlsplit(app.page_url)
        client.send(get(url.path, url.netloc))
        page = client.rest().decode()

    assert page.startswith("HTTP/1.1 200")
    assert "connection: close" in page.lower()
    assert "<h2>Hooks</h2>" in page
    for hook in ("ready", "validate", "run"):
        assert f'<span class="title">{hook}' in page


def test_the_page_before_and_after(start: Starts):
    """The page is served while a MicroVM is suspended, and does not resume it."""
    app = start()
    app.suspend()
    url = urlsplit(app.page_url)
    with connected(app) as client:
        client.send(get(url.path, url.netloc))
        page = client.rest().decode()

    assert '<span class="title">suspend' in page
    assert app.state == "suspended"


def test_a_page_without_its_token(start: Starts):
    """The page's path without its token is refused, and is not the application's."""
    app = start()

    assert app.get("/_lambda/x/").status_code == 403
    assert "/_lambda/x/" not in app.get("/seen").text


def test_a_host_that_is_not_allowed():
    """A page of another name, by DNS rebinding, reaches no MicroVM."""
    (port,) = free_ports(1)
    options = ("--microvm", "--port", "0", "--app-port", str(port), "--")
    command = [*UVICORN, "--port", str(port)]
    with open_terminal(*options, *command, env=measured()) as terminal:
        terminal.wait("^200  run")
        client = Client(terminal.port)
        with client.socket:
            client.send(get("/page", "evil.example"))
            assert client.rest().startswith(b"HTTP/1.1 403 ")
        assert "GET /page" in terminal.wait("refused")


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"\x16\x03\x01", b"x" * 70_000])
def test_what_is_not_http(start: Starts, sent: bytes):
    """A connection without a request does not disturb others."""
    app = start()
    with connected(app) as client:
        client.send(sent)
        client.socket.shutdown(socket.SHUT_WR)
        client.rest()

    assert app.get("/page").status_code == 204


def test_an_application_that_refuses_connections(start: Starts):
    """A request that reaches no application gets 502."""
    app = start()
    app.terminate()

    assert app.get("/page").status_code == 502
