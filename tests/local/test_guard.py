"""What the gateway refuses: foreign pages, other protocols, malformed requests."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lambda_adapter.local.guard import Guard
from lambda_adapter.local.invoke_api import PATH
from lambda_adapter.local.processes import wait_ended
from tests.local.client import ask
from tests.local.conftest import APP
from tests.local.terminal import Terminal, app_port, open_terminal
from tests.local.test_advice import WSGI

OWN = [
    "localhost",
    "LOCALHOST:1",
    "127.0.0.1:9000",
    "[::1]:80",
    "10.1.2.3",
    "a.localhost",
]
FOREIGN = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "[::1",
    "@x",
    "a b",
]


@pytest.mark.parametrize("host", OWN)
def test_own_hosts(host: str):
    """Names of this machine and IP addresses are allowed: no page can forge them."""
    assert not Guard().refuses_host([(b"Host", host.encode())])


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts(host: str):
    """Any other name is refused, even if it resolves to this machine."""
    assert Guard().refuses_host([(b"host", host.encode())]) == host


def test_allowed_hosts():
    """An allowed name is let in; a dot allows all below it, and a star any name."""
    for allowed, host in (
        ("shop.test", "SHOP.test:9000"),
        (".shop.test", "a.b.shop.test"),
        (".shop.test", "shop.test"),
        ("*", "evil.example"),
    ):
        assert not Guard([allowed]).refuses_host([(b"host", host.encode())])
    assert Guard([".shop.test"]).refuses_host([(b"host", b"myshop.test")])


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A function behind an HTTP API."""
    options = ("--port", "0", "--app-port", app_port())
    with open_terminal(*options, "--", *APP) as terminal:
        terminal.wait("^ready")
        yield terminal


def send(port: int, data: bytes) -> bytes:
    """Send bytes, and return what comes, up to the end of a head."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.sendall(data)
        while b"\r\n\r\n" not in received and (data := sock.recv(65536)):
            received += data
    return received


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream.to_bytes(4, "big") + payload


H2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
NO_PATH = frame(1, 5, 1, b"\x02\x07CONNECT" + b"\x01\x01x")
BAD_PATH = frame(1, 5, 1, b"\x82\x86\x04\x02\xff\xff\x01\x01x")
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HALF = UPGRADE.partition(b"Sec-")[0] + b"\r\n"
H2C = (
    b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: !!\r\n\r\n"
)


@pytest.mark.parametrize(
    ("data", "status", "line"),
    [
        pytest.param(H2 + BAD_PATH, b"505", "505  .* HTTP/2", id="HTTP/2"),
        pytest.param(H2 + NO_PATH, b"505", "505  .* HTTP/2", id="HTTP/2 CONNECT"),
        pytest.param(H2[:5] + H2[5:], b"505", "505  .* HTTP/2", id="preface"),
        pytest.param(UPGRADE, b"400", "400  GET /ws  refused .*WebSocket", id="socket"),
        pytest.param(HALF, b"400", "400  .*WebSocket, without Sec-", id="no key"),
        pytest.param(b"nonsense\r\n\r\n", b"400", "400  .*malformed", id="nonsense"),
        pytest.param(
            b"GET /a%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"400",
            "400  GET /a%zz  refused by the gateway: its path has a %",
            id="path",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            b"403",
            "403  GET /  refused .*'evil.example' .*--allowed-hosts",
            id="host",
        ),
    ],
)
def test_refusals(terminal: Terminal, data: bytes, status: bytes, line: str):
    """A refused request is a line with the reason, and the gateway continues."""
    before = len(refusals(terminal))
    received = send(terminal.port, data)

    assert received.startswith(b"HTTP/1.1 " + status)
    assert ask(terminal.port, "/cookies").status == 200
    while len(refusals(terminal)) == before:
        pass
    terminal.wait(line)
    assert len(refusals(terminal)) == before + 1


def refusals(terminal: Terminal) -> list[str]:
    """Return the lines of what was refused."""
    return [line for line in terminal.lines if "refused by the gateway" in line]


@pytest.mark.parametrize("data", [H2C, H2[:3], H2[:20], b"\x16\x03\x01", b"\0" * 99])
def test_other_protocols(terminal: Terminal, data: bytes):
    """A connection of another protocol does not disturb others."""
    with socket.create_connection(("127.0.0.1", terminal.port), 20) as sock:
        sock.sendall(data)

    assert ask(terminal.port, "/cookies").status == 200
    assert terminal.process.poll() is None


def test_large_body(terminal: Terminal):
    """A body over the gateway's limit is 413, with a line that has the limit."""
    with socket.create_connection(("127.0.0.1", terminal.port), 20) as sock:
        head = (
            b"POST /big HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485761\r\n\r\n"
        )
        sock.sendall(head + b"x" * 10_485_761)
        received = sock.recv(100)

    assert received.startswith(b"HTTP/1.1 413")
    terminal.wait("413  POST /big  refused by the gateway: its body is over 10,485,760")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1"]
)
def test_a_foreign_page_invokes_nothing(terminal: Terminal, origin: str):
    """A page of another origin is refused at the Invoke API; its own is not."""
    own = f"http://127.0.0.1:{terminal.port}".encode()

    assert ask(terminal.port, PATH, "POST", [(b"Origin", own)], b'"a"').status == 200
    received = ask(terminal.port, PATH, "POST", [(b"Origin", origin.encode())], b'"a"')

    assert received.status == 403
    terminal.wait(f"403  POST {PATH}  refused .*{re.escape(origin)}")


def test_allowed_origin():
    """With --allowed-hosts, a page and a host of that name are let in."""
    options = ("--allowed-hosts", "shop.test", "--port", "0", "--app-port", app_port())
    with open_terminal(*options, "--", *APP) as terminal:
        terminal.wait("^ready")
        origin = [(b"Origin", b"http://shop.test:3000")]
        assert ask(terminal.port, PATH, "POST", origin, b'"a"').status == 200


DAEMON = """
import os, time, threading
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print("daemon", os.getpid(), flush=True)
    os.environ.clear()
    threading.Event().wait()
os.waitpid(pid, 0)
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""


def test_daemons(tmp_path: Path):
    """A process that became a daemon ends with the command that it came from."""
    (tmp_path / "main.py").write_text(DAEMON)
    with open_terminal("--port", "0", "--wsgi", "main:app", cwd=tmp_path) as terminal:
        pid = int(terminal.wait("^daemon").split()[1])
        terminal.wait("^ready")
        daemon = psutil.Process(pid)
        assert terminal.end() == 0

    assert wait_ended([daemon], 5) == []


def test_an_application_that_has_just_died(tmp_path: Path):
    """An application that dies once it was ready is not taken for another program."""
    dies = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        self.server.socket.close()
        os._exit(3)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
    (tmp_path / "app.py").write_text(dies)
    command = ("--port", "0", "--app-port", app_port(), "--", sys.executable, "app.py")
    with open_terminal(*command, cwd=tmp_path) as terminal:
        terminal.wait("status 3")
        terminal.end()

    assert not [line for line in terminal.lines if "another program" in line]


def test_a_gateway_that_does_not_stream(tmp_path: Path):
    """A gateway that can't stream is reported if streams are configured."""
    (tmp_path / "main.py").write_text(WSGI)
    options = ("--invoke-mode", "response_stream", "--port", "0", "--wsgi", "main:app")
    with open_terminal(*options, cwd=tmp_path) as terminal:
        terminal.wait("^--gateway http-api does not stream")
