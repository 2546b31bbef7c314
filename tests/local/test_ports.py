"""What goes wrong on a desk: one line for each, and status 1."""

import re
import socket
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.ports import free_ports
from tests.local.conftest import APP
from tests.local.terminal import app_port, open_terminal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "no-such-app"], "no command 'no-such-app' on PATH: install it"),
        (["--port", "{taken}", "--", *APP], "port {taken} is in use by .*: .* --port"),
        (
            ["--app-port", "{taken}", "--", *APP],
            "port {taken} is in use by .*--app-port",
        ),
        (["--", sys.executable, "-c", "raise SystemExit(3)"], "exited with status 3"),
        (["--", *APP], "AWS_LWA_READINESS_CHECK_PORT='x' is not usable"),
    ],
    ids=["command", "port", "application's port", "crash", "setting"],
)
def test_failures_of_a_desk(arguments: list[str], message: str):
    """A problem is one line that says what to do, immediately, and status 1."""
    bad = {"AWS_LWA_READINESS_CHECK_PORT": "x"} if "not usable" in message else {}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = [argument.replace("{taken}", port) for argument in arguments]
        if "--port" not in given:
            given = ["--port", "0", *given]
        if "--app-port" not in given:
            given = ["--app-port", app_port(), *given]
        with open_terminal(*given, env=bad) as terminal:
            status = terminal.status()

    errors = [line for line in terminal.lines if line.startswith("error  ")]
    assert status == 1
    assert len(errors) == 1
    assert re.search(message.replace("{taken}", port), errors[0])


@pytest.mark.e2e
def test_foreign_server():
    """Another program's server on the application's port is not taken for it."""
    port = app_port()
    sleeper = [sys.executable, "-c", LISTENS_LATE, port]
    with open_terminal("--port", "0", "--app-port", port, "--", *sleeper) as terminal:
        status = terminal.status()

    assert status == 1
    assert terminal.wait(
        f"port {port} is .*another program|python.*not the application"
    )


LISTENS_LATE = """
import os, sys, threading
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    import http.server
    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            os._exit(0)
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
os.waitpid(pid, 0)
threading.Event().wait()
"""
"""A program whose server is none of its descendants."""


@pytest.mark.e2e
def test_other_port():
    """An application on another port is reported with the option for that port."""
    port, other = app_port(), app_port()
    command = ["env", f"PORT={other}", *APP]
    with open_terminal("--port", "0", "--app-port", port, "--", *command) as terminal:
        status = terminal.status()

    assert status == 1
    terminal.wait(
        f"^error .*listens on port {other}, not on {port}: add --app-port {other},"
        f" .*; on Lambda, set AWS_LWA_PORT={other}"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux for its range")
def test_free_ports():
    """Free ports differ, and the system gives none of them to another connection."""
    low, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()

    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert max(ports) < int(low)
    for port in ports:
        socket.create_server(("0.0.0.0", port)).close()
