"""``--debug``: a debugger's client stops the application, wherever it runs."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambda_adapter.local.debugging import NODE_PORT, PYTHON_PORT, START, debugged
from lambda_adapter.local.ports import SetupError
from tests.adapter import ENVIRON
from tests.e2e.applications import need
from tests.emulator import PROJECT
from tests.local.browser import Browser
from tests.local.client import ask
from tests.local.terminal import TIMEOUT, Terminal, app_port, open_terminal
from tests.ports import free_ports
from tests.processes import Process

pytestmark = pytest.mark.e2e

ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    answer = 6 * 7
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(answer).encode()})
"""
LINE = 6
"""Of the answer, which is known there."""

NODE = """
const http = require("http");
http.createServer((request, response) => {
  const answer = 6 * 7;
  response.end(String(answer));
}).listen(process.env.PORT);
"""

BREAKPOINT = """
def app(environ, start_response):
    answer = 6 * 7
    breakpoint()
    start_response("200 OK", [])
    return [str(answer).encode()]
"""


class Client:
    """A client of the Debug Adapter Protocol, as an editor is one.

    https://microsoft.github.io/debug-adapter-protocol/specification
    """

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), 20)
        self._file = self._sock.makefile("rb")
        self._count = 0
        self._kept: list[dict[str, Any]] = []

    def close(self) -> None:
        self._file.close()
        self._sock.close()

    def send(self, command: str, **arguments: Any) -> int:
        self._count += 1
        request = {"seq": self._count, "type": "request", "command": command}
        body = json.dumps(request | {"arguments": arguments}).encode()
        self._sock.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self._count

    def wait(self, **wanted: Any) -> dict[str, Any]:
        """Return the next message with these values."""
        while True:
            for each in self._kept:
                if wanted.items() <= each.items():
                    self._kept.remove(each)
                    return each
            length = int(self._file.readline().split(b":")[1])
            self._file.readline()
            self._kept.append(json.loads(self._file.read(length)))

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, and return the body of its response."""
        response = self.wait(request_seq=self.send(command, **arguments))
        assert response["success"], response
        body: dict[str, Any] = response.get("body") or {}
        return body

    def attach(self, port: int) -> None:
        """Attach as VS Code does with the page's configuration, but for the port."""
        attributes = configuration("debugpy") | {"connect": {"port": port}}
        self.call("initialize", adapterID="debugpy", pathFormat="path")
        attached = self.send("attach", **attributes)
        self.wait(event="initialized")
        self.call("configurationDone")
        self.wait(request_seq=attached)

    def break_at(self, file: Path, line: int) -> None:
        """Set a breakpoint."""
        where = {"source": {"path": str(file)}, "breakpoints": [{"line": line}]}
        self.call("setBreakpoints", **where)

    def read(self, expression: str) -> str:
        """Return the value of an expression where the application has stopped."""
        thread = self.wait(event="stopped")["body"]["threadId"]
        frames = self.call("stackTrace", threadId=thread)["stackFrames"]
        value = self.call(
            "evaluate", expression=expression, frameId=frames[0]["id"], context="repl"
        )
        self.call("continue", threadId=thread)
        return str(value["result"])


def configuration(kind: str) -> dict[str, Any]:
    """Return what VS Code's launch.json has on the page about debugging."""
    page = PROJECT / "docs" / "how-to" / "debugging.md"
    block = page.read_text("utf-8").split("```json\n")[1].split("```")[0]
    found: list[dict[str, Any]] = json.loads(block)["configurations"]
    return next(each for each in found if each["type"] == kind)


@contextmanager
def asking(terminal: Terminal) -> Iterator[list[bytes]]:
    """Send a request in a thread, and give what it will have got in the end."""
    got: list[bytes] = []

    def run() -> None:
        got.append(ask(terminal.port).body)

    thread = threading.Thread(target=run)
    thread.start()
    yield got
    thread.join(20)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("--asgi", "main:app"), id="in process"),
        pytest.param(("--", "uvicorn", "main:app", "--port", "PORT"), id="uvicorn"),
        pytest.param(
            ("--", sys.executable, "-m", "uvicorn", "main:app", "--port", "PORT"),
            id="python -m",
        ),
    ],
)
def test_a_client_of_an_editor(tmp_path: Path, command: tuple[str, ...]):
    """A client's breakpoint is hit in process and behind a server, past a timeout."""
    (tmp_path / "main.py").write_text(ASGI)
    debug, port = str(free_ports(1)[0]), app_port()
    words = [port if word == "PORT" else word for word in command]
    options = ("--debug", debug, "--timeout", "1", "--port", "0", "--app-port", port)
    path = f"{Path(sys.executable).parent}:{ENVIRON['PATH']}"
    env = {"PATH": path}
    with open_terminal(*options, *words, cwd=tmp_path, env=env) as terminal:
        terminal.wait(f"debugger  waits for a client on 127.0.0.1:{debug}")
        with closing(Client(int(debug))) as client:
            client.attach(int(debug))
            terminal.wait("^ready")  # which takes a request behind a server
            client.break_at(tmp_path / "main.py", LINE)
            with asking(terminal) as got:
                assert client.read("answer") == "42"
            assert got == [b"42"]


def test_node(tmp_path: Path):
    """An inspector's breakpoint is hit in Node.js."""
    need("node")
    (tmp_path / "app.js").write_text(NODE)
    debug = free_ports(1)[0]
    options = ("--debug", str(debug), "--port", "0", "--app-port", app_port())
    with open_terminal(*options, "--", "node", "app.js", cwd=tmp_path) as terminal:
        line = terminal.wait("Debugger listening on ws://")
        target = re.findall(r"ws://[\d.:]+(/\S+)", line)[0]
        with socket.create_connection(("127.0.0.1", debug), 20) as sock:
            inspector = Browser(sock, f"127.0.0.1:{debug}", target)
            inspector.call("Debugger.enable")
            inspector.call("Runtime.runIfWaitingForDebugger")
            inspector.event("Debugger.paused")
            inspector.call("Debugger.resume")
            terminal.wait("^ready")  # which takes a request
            where = {"lineNumber": 3, "urlRegex": "app.js$"}
            inspector.call("Debugger.setBreakpointByUrl", **where)
            with asking(terminal) as got:
                paused = inspector.event("Debugger.paused")
                frame = paused["callFrames"][0]["callFrameId"]
                what = {"callFrameId": frame, "expression": "request.url"}
                said = inspector.call("Debugger.evaluateOnCallFrame", **what)
                inspector.call("Debugger.resume")
            assert (said["result"]["value"], got) == ("/", [b"42"])


def test_breakpoint_in_the_terminal(tmp_path: Path):
    """After Enter, `breakpoint()` is pdb's, in the terminal, past the timeout."""
    (tmp_path / "main.py").write_text(BREAKPOINT)
    debug = str(free_ports(1)[0])
    line = ("--debug", debug, "--timeout", "1", "--port", "0", "--wsgi", "main:app")
    with open_terminal(*line, cwd=tmp_path, stdin=subprocess.PIPE) as terminal:
        terminal.wait("debugger  waits")
        terminal.type("")
        terminal.wait("^ready")
        with asking(terminal) as got:
            terminal.wait(r"\(Pdb\)")
            terminal.type("p answer + 1000")
            terminal.wait("1042")
            terminal.type("c")
        assert got == [b"42"]
        assert terminal.end() == 0


EAGER = """
import debugpy, select, threading
from lambda_adapter.local.debug_start import cancel_on_enter
debugpy.listen(("127.0.0.1", 0))
words = (debugpy.wait_for_client.cancel, threading.Event())
threading.Thread(target=cancel_on_enter, args=words, daemon=True).start()
while select.select([0], [], [], 0)[0]:
    pass
debugpy.wait_for_client()
print("goes on")
"""


def test_enter_that_comes_early():
    """Enter counts if it is read before the wait for a debugger begins."""
    reading, writing = os.pipe()
    os.write(writing, b"\n")
    command = [sys.executable, "-X", "frozen_modules=off", "-c", EAGER]
    with Process(command, stdin=reading, stdout=subprocess.PIPE, text=True) as process:
        os.close(reading)
        output, _ = process.communicate(timeout=TIMEOUT)
    os.close(writing)

    assert output == "goes on\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sleep", "1"], "programs of Python and of Node.js, and 'sleep'"),
        (["npm", "start"], "'npm' starts them by itself"),
        (["php", "-S", "127.0.0.1:8080"], "and 'php' is not one: attach its own"),
    ],
)
def test_what_can_not_be_debugged(command: list[str], said: str):
    """A command that starts the application by itself is named, with what to do."""
    with pytest.raises(SetupError, match=said):
        debugged(command, os.environ, 0)


def test_commands(tmp_path: Path):
    """Python's own options stay in front, and scripts run in their own interpreter."""
    script = tmp_path / "serve"
    script.write_text("#!/usr/bin/env python3\n")
    wrapped = tmp_path / "wrapped"
    wrapped.write_text("#!/bin/sh\n'''exec' \"/a b/python3.12\" \"$0\" \"$@\"\n' '''\n")
    for file in (script, wrapped):
        file.chmod(0o755)

    off = "-Xfrozen_modules=off"
    assert debugged(["python3.12", "-u", "-X", "dev", "-m", "app", "-x"], {}, 5) == [
        *("python3.12", off, "-u", "-X", "dev", START, "5", "-m", "app", "-x")
    ]
    assert debugged([str(script), "-a"], {}, 0) == [
        *("python3", off, START, "5678", str(script), "-a")
    ]
    assert debugged([str(wrapped)], {}, 0)[0] == "/a b/python3.12"
    assert debugged(["node", "a.js"], {}, 0) == [
        "node",
        "--inspect-brk=127.0.0.1:9229",
        "a.js",
    ]


def test_without_debugpy(tmp_path: Path):
    """An interpreter without debugpy is named, with the command that installs it."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", START, "1", "-c", "pass"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"needs debugpy for {sys.executable}: pip install debugpy" in done.stderr


def test_the_page_has_the_ports():
    """VS Code's configurations attach to the ports that `--debug` has by itself."""
    python, node = configuration("debugpy"), configuration("node")
    assert (python["request"], python["connect"]) == ("attach", {"port": PYTHON_PORT})
    assert (node["request"], node["port"]) == ("attach", NODE_PORT)
    assert node["continueOnAttach"]  # --inspect-brk stops at the first line


def test_one_debugger():
    """A debugger is for one environment."""
    options = ("--debug", "--environments", "2", "--wsgi", "a:b")
    with open_terminal(*options) as terminal:
        assert terminal.status() == 1

    terminal.wait("--debug is for one environment")
