"""``lambda-adapter local -- COMMAND``: what it says, and how it ends."""

import json
import os
import re
import signal
import socket
import sys
import threading
from contextlib import suppress

import psutil
import pytest

from lambda_adapter.local.function import free_ports
from lambda_adapter.local.processes import wait_ended
from tests.emulator import PROJECT
from tests.local.client import ask
from tests.local.conftest import APP
from tests.local.terminal import open_terminal


def app_port() -> str:
    """Return a port for an application, as an option's value."""
    return str(free_ports(1)[0])


def test_session():
    """A session tells where the gateway is, the init, each request, and the end."""
    with open_terminal("--port", "0", "--app-port", app_port(), "--", *APP) as terminal:
        terminal.wait("^ready  init [0-9]+ ms$")
        ask(terminal.port, "/cookies?a=1")
        line = terminal.wait("GET /cookies")
        status = terminal.end()

    pattern = r"^200  GET /cookies\?a=1  [\d.]+ ms  billed \d+ ms with init  \d+ MB$"
    assert terminal.wait(pattern) == line
    assert terminal.lines[0].endswith(
        f"  http-api -> lambda-adapter -> {' '.join(APP)}"
    )
    assert (status, terminal.lines[-1]) == (0, "ended")


def test_application_in_process():
    """An application in the adapter's own process needs no command and no port."""
    folder = str(PROJECT / "examples" / "flask")
    options = ("--port", "0", "--", "--app-dir", folder, "--wsgi", "app:app")
    with open_terminal(*options) as terminal:
        terminal.wait("^ready")
        received = ask(terminal.port, "/cookies")
        terminal.wait("200  GET /cookies")

    assert len(received.values(b"set-cookie")) == 2
    assert terminal.lines[0].endswith("lambda-adapter -> --wsgi app:app")


def test_unknown_option_of_the_adapter():
    """An option that the adapter does not have is told, in one line."""
    with open_terminal("--port", "0", "--", "--asgy", "app:app") as terminal:
        assert terminal.status() == 1

    assert terminal.lines == ["error  there is no option --asgy"]


def test_json():
    """With --json each line is an object for programs."""
    options = ("--json", "--port", "0", "--app-port", app_port(), "--event", "alb")
    with open_terminal(*options, "--", *APP) as terminal:
        start = json.loads(terminal.wait('"start"'))
        terminal.wait('"ready"')
        ask(int(start["url"].rpartition(":")[2]), "/")
        told = json.loads(terminal.wait('"invocation"'))
        terminal.end()

    assert (start["event"], start["command"]) == ("alb", " ".join(APP))
    assert (told["title"], told["status"], told["outcome"]) == ("GET /", 200, "ok")
    assert told["billedMs"] >= told["durationMs"]
    assert json.loads(terminal.lines[-1]) == {"type": "end"}


def test_settings():
    """The adapter's settings are told, and the adapter warns of one that is none."""
    settings = {"AWS_LWA_PASS_THROUGH_PATH": "/queue", "AWS_LWA_PROT": "1"}
    options = ("--port", "0", "--app-port", app_port(), "--")
    with open_terminal(*options, *APP, env=settings) as terminal:
        terminal.wait("^ready")
        line = terminal.wait("^settings")
        warning = terminal.wait("did you mean")

    assert line == "settings  AWS_LWA_PASS_THROUGH_PATH=/queue  AWS_LWA_PROT=1"
    assert "AWS_LWA_PROT is not a setting of this adapter" in warning


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--", "no-such-app"], "'no-such-app' can't be started: No such file"),
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
    """What can't work is one line that says what to do, at once, and status 1."""
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


def test_other_port():
    """An application on another port is told with the option for that port."""
    port, other = app_port(), app_port()
    command = ["env", f"PORT={other}", *APP]
    with open_terminal("--port", "0", "--app-port", port, "--", *command) as terminal:
        status = terminal.status()

    assert status == 1
    terminal.wait(
        f"^error .*listens on port {other}, not on {port}: add --app-port {other}"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_end_in_the_middle_of_a_request(number: signal.Signals):
    """A signal ends every process within a second, even in the middle of a request."""
    with open_terminal("--port", "0", "--app-port", app_port(), "--", *APP) as terminal:
        terminal.wait("^ready")
        ask(terminal.port, "/child")
        everyone = psutil.Process(terminal.process.pid).children(recursive=True)
        asking = threading.Thread(target=_ask_in_vain, args=[terminal.port])
        asking.start()
        terminal.wait("it hangs")

        os.killpg(terminal.process.pid, number)

        assert wait_ended(everyone, 1.5) == []
        terminal.process.wait(10)
        asking.join(10)
    assert len(everyone) >= 3


def _ask_in_vain(port: int) -> None:
    with suppress(Exception):
        ask(port, "/hang")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prot", "1", "--", "x"], "No such option '--prot'"),
        (["--event", "alp", "--", "x"], "'alp' is not one of"),
        ([], "Missing argument"),
        (["--cold", "--concurrency", "2", "--", *APP], "exclude each other"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str):
    """A command line that can't be read is told with the usage, and status 2."""
    with open_terminal(*arguments) as terminal:
        assert terminal.status() == 2

    terminal.wait("^Usage: lambda-adapter local")
    terminal.wait(said)


def test_help():
    """The help names every kind of gateway, and the other commands."""
    with open_terminal("--help") as terminal:
        assert terminal.status() == 0

    text = " ".join(terminal.lines)
    for word in ("function-url", "--reload", "local invoke", "local events"):
        assert word in text
