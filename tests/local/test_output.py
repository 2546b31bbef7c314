"""What `local` prints: in any encoding, to a reader that goes, and in which colours."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.reporters import style_of
from tests.adapter import ENVIRON
from tests.local.client import ask
from tests.local.terminal import LOCAL, app_port, open_terminal
from tests.local.test_advice import WSGI
from tests.processes import Process

PRINTS = """
print("café ✓ 😀", flush=True)
def app(environ, start_response):
    print("naïve ✗", environ["PATH_INFO"], flush=True)
    start_response("200 OK", [])
    return [b"x"]
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_encodings(tmp_path: Path, encoding: str, options: tuple[str, ...]):
    """A character that the output's encoding lacks is escaped, and ends nothing."""
    (tmp_path / "main.py").write_text(PRINTS)
    line = ("--port", "0", *options, "--wsgi", "main:app")
    with Process(
        [*LOCAL, *line],
        env={**ENVIRON, "PYTHONIOENCODING": encoding, "LC_ALL": "en_US.ISO-8859-1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding=encoding,
        errors="strict",
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        while "ready" not in lines[-1] or "init" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1]
        port = int(lines[0].split("http://127.0.0.1:")[1].split('"')[0].split()[0])
        assert ask(port, "/caf%C3%A9").status == 200
        process.send_signal(signal.SIGINT)
        lines += process.stdout.readlines()

    assert process.returncode == 0
    if options:
        said = [json.loads(line) for line in lines]
        assert {"type": "log", "line": "café ✓ 😀"} in said
    else:
        assert any(line.startswith("caf") for line in lines)
        assert any(line.startswith("na") and "/caf" in line for line in lines)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("--port", "0", "--wsgi", "main:app"), 141),
        (("--port", "0", "--json", "--wsgi", "main:app"), 141),
        (("--help",), None),
        (("events", "http-api"), None),
        (("events",), None),
    ],
)
def test_reader_that_goes(tmp_path: Path, command: tuple[str, ...], status: int | None):
    """A reader that exits, such as `head`, ends the command without a traceback."""
    (tmp_path / "main.py").write_text(WSGI)
    reading, writing = os.pipe()
    with Process(
        [*LOCAL, *command],
        env=ENVIRON,
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writing)
        os.close(reading)
        _, said = process.communicate(timeout=30)

    assert said == ""
    assert status is None or process.returncode == status


def test_head(tmp_path: Path):
    """After `| head -1` has its line, everything ends silently."""
    (tmp_path / "main.py").write_text(WSGI)
    words = f"{sys.executable} -m lambda_adapter local --port 0 --wsgi main:app"

    done = subprocess.run(
        ["sh", "-c", f"{words} | head -1"],
        env=ENVIRON,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "style"),
    [
        ("hello", ""),
        ("INFO:     Started server process", ""),
        ("lambda-adapter: INFO the application is ready", "dim"),
        ("lambda-adapter: WARN AWS_LWA_X is not a setting", "yellow"),
        ("lambda-adapter: ERROR Runtime.X: GET /: why", "red"),
        ("ERROR:    Exception in ASGI application", "red"),
        ("[ERROR] 2026-01-01 id it failed", "red"),
        ("CRITICAL:root:lost", "red"),
        ("an ERROR in the middle", ""),
        ("ERRORS: 0", ""),
        ("Traceback (most recent call last):", ""),
    ],
)
def test_styles(line: str, style: str):
    """An application's lines are plain, errors red, the adapter's own ones dim."""
    assert style_of(line) == style


def test_colours(tmp_path: Path):
    """On a terminal an application's own line has no colour."""
    (tmp_path / "main.py").write_text(PRINTS)
    master, slave = pty.openpty()
    with Process(
        [*LOCAL, "--port", "0", "--wsgi", "main:app"],
        env={**ENVIRON, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
        cwd=tmp_path,
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        said = b""
        while b"ready\x1b" not in said:
            said += os.read(master, 65536)
        os.close(master)  # the terminal is gone
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) in {0, 141}

    assert "\ncafé ✓ 😀\r" in said.decode()


def test_an_import_that_fails_is_told_once(tmp_path: Path):
    """The reason of a failed import is one line, after its traceback."""
    (tmp_path / "main.py").write_text("import no_such_module")
    with open_terminal("--port", "0", "--asgi", "main:app", cwd=tmp_path) as terminal:
        assert terminal.status() == 1

    told = [line for line in terminal.lines if "be imported: Module" in line]
    assert told == terminal.lines[-1:]
    assert told[0].startswith("error  ")
    assert "import no_such_module" in "\n".join(terminal.lines)


SLOW = """
import http.server, os, signal, sys, time, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
def end(*_):
    threading.Event().wait(0.7)
    print("said goodbye", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
server.serve_forever()
"""


def test_a_second_to_end(tmp_path: Path):
    """Ctrl-C gives an application more time than Lambda does, and does not warn."""
    (tmp_path / "app.py").write_text(SLOW)
    options = ("--port", "0", "--app-port", app_port())
    command = (*options, "--", sys.executable, "app.py")
    with open_terminal(*command, cwd=tmp_path) as terminal:
        terminal.wait("^ready")
        assert terminal.end() == 0

    assert "said goodbye" in terminal.lines
    assert not [line for line in terminal.lines if "SIGKILL" in line]
