"""``--reload``: an edit of a source restarts the function, and nothing else does."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.local.client import ask
from tests.local.terminal import Terminal, app_port, open_terminal

pytestmark = pytest.mark.e2e

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"first")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

STATEFUL = """
import os, sqlite3, subprocess, sys, threading, time
from fastapi import FastAPI

database = sqlite3.connect("app.db", check_same_thread=False)
database.execute("CREATE TABLE IF NOT EXISTS visits (at TEXT)")
with open("app.log", "a") as log:
    log.write("started\\n")
with open("generated.py", "w") as file:
    file.write(f"STARTED = {os.getpid()}  # " + "x" * 500)

app = FastAPI()

@app.get("/")
def read():
    database.execute("INSERT INTO visits VALUES (datetime())")
    database.commit()
    with open("app.log", "a") as log:
        log.write("a request\\n")
    return {"pid": os.getpid(), "text": "first"}

@app.get("/sources")
def sources():
    with open("routes.py.tmp", "w") as file:
        file.write("# " + "y" * 800)
    os.replace("routes.py.tmp", "routes.py")
    write = "open('views.py', 'w').write('# ' + 'z' * 900)"
    subprocess.run([sys.executable, "-c", write], check=True)
    return "written"
"""


@contextmanager
def reloading(folder: Path, *arguments: str) -> Iterator[Terminal]:
    """Run `local --reload` in a folder, up to its readiness."""
    options = ("--reload", "--port", "0", *arguments)
    with open_terminal(*options, cwd=folder) as terminal:
        terminal.wait("^ready")
        yield terminal


def restarts(terminal: Terminal) -> list[str]:
    """Return the lines that say that something restarts."""
    return [line for line in terminal.lines if line.endswith("changed: restarting")]


def readies(terminal: Terminal) -> int:
    """Return how many environments were initialised."""
    return len([line for line in terminal.lines if line.startswith("ready")])


def edit(file: Path, old: str, new: str) -> None:
    """Save a file with a word replaced, as an editor does: beside it, then renamed."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(file.read_text().replace(old, new, 1))
    began = time.time()
    while draft.stat().st_ctime < began:  # the clock of files is late, up to a tick
        draft.touch()
    os.replace(draft, file)


def test_edits(tmp_path: Path):
    """After an edit the new code responds; one that fails to start waits for the next.

    The watching thread ends immediately, and not after the 5 s that it waits by itself.
    """
    file = tmp_path / "app.py"
    file.write_text(SERVER)
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, *command) as terminal:
        assert ask(terminal.port).body == b"first"

        edit(file, "first", "second")
        terminal.wait("app.py changed: restarting")
        assert ask(terminal.port).body == b"second"

        file.write_text("an error")
        terminal.wait("^error ")
        file.write_text(SERVER.replace("first", "third"))
        while ask(terminal.port).body != b"third":
            pass

        began = time.monotonic()
        assert terminal.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 5


def test_an_edit_after_a_start_that_writes(tmp_path: Path):
    """What an application writes while it starts hides no edit right after it."""
    file = tmp_path / "app.py"
    file.write_text("open('cache.bin', 'w').write('1' * 100_000)\n" + SERVER)
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, *command) as terminal:
        edit(file, "first", "second")
        terminal.wait("app.py changed: restarting")
        assert ask(terminal.port).body == b"second"


UVICORN = (sys.executable, "-m", "uvicorn", "--log-level", "warning", "main:app")


@pytest.mark.parametrize("is_in_process", [True, False], ids=["in process", "uvicorn"])
def test_what_the_application_writes(tmp_path: Path, is_in_process: bool):
    """One edit is one restart; of a hundred requests that write to SQLite, none is."""
    file = tmp_path / "main.py"
    file.write_text(STATEFUL)
    port = app_port()
    server = ("--app-port", port, "--", *UVICORN, "--port", port)
    application = ("--asgi", "main:app") if is_in_process else server
    with reloading(tmp_path, *application) as terminal:
        for _ in range(100):
            assert ask(terminal.port).status == 200
        assert restarts(terminal) == []
        assert ask(terminal.port, "/sources").status == 200
        terminal.wait("views.py was written .*: no restart")

        edit(file, '"first"', '"second"')
        terminal.wait("^main.py changed: restarting$")
        for _ in range(20):
            assert b"second" in ask(terminal.port).body
        edit(file, '"second"', '"third"')
        while b"third" not in ask(terminal.port).body:
            pass

    assert restarts(terminal) == ["main.py changed: restarting"] * 2
    assert readies(terminal) == 3


def test_an_edit_during_a_request(tmp_path: Path):
    """An edit while the application is busy, and writes a little, restarts it."""
    busy = SERVER.replace(
        "def do_GET(self):",
        "def do_GET(self):\n"
        "        import threading\n"
        "        while self.path == '/busy':\n"
        "            print('busy', flush=True); threading.Event().wait(.01)",
    )
    file = tmp_path / "app.py"
    file.write_text(busy)
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, *command) as terminal:
        asking = threading.Thread(target=ask, args=(terminal.port, "/busy"))
        asking.start()
        terminal.wait("^busy$")
        edit(file, "first", "second")
        terminal.wait("app.py changed: restarting")
        asking.join(20)
        assert ask(terminal.port).body == b"second"


def test_other_files(tmp_path: Path):
    """Only sources restart, but for what options include; git's ignored ones do not."""
    (tmp_path / "app.py").write_text(SERVER)
    (tmp_path / ".gitignore").write_text("/made.py\nlocal/\n")
    for folder in ("venv", "local", "web", "build", "skipped"):
        (tmp_path / folder).mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    quiet = ["README.md", "a.db", ".coverage", "x.log", "made.py", "venv/a.py"]
    quiet += ["local/a.py", "build/a.py", "skipped/a.py", "web/a.js", ".hidden.py"]
    options = ("--reload-include", "*.json", "--reload-exclude", "skipped/*")
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, *options, *command) as terminal:
        for name in quiet:
            (tmp_path / name).write_text("1" * 10_000)
        (tmp_path / "web" / "config.json").write_text("{}" * 10_000)
        terminal.wait("changed: restarting")

    assert restarts(terminal) == ["web/config.json changed: restarting"]


def test_restarts_without_a_request(tmp_path: Path):
    """After three restarts without a request, the next start waits for a request."""
    file = tmp_path / "app.py"
    file.write_text(SERVER + "# 0\n")
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, *command) as terminal:
        for count in range(3):
            edit(file, f"# {count}\n", f"# {count + 1}\n")
            terminal.wait_for_lines(count + 2, "^ready")
        edit(file, "first", "fourth")
        terminal.wait(r"app.py changed, after 3 restarts without a request: .*request")
        assert len(restarts(terminal)) == 3
        assert ask(terminal.port).body == b"fourth"
        edit(file, "fourth", "fifth")
        terminal.wait_for_lines(4, "changed: restarting$")
        assert ask(terminal.port).body == b"fifth"


def test_folders(tmp_path: Path):
    """Folders that are watched can be named; one that does not exist is an error."""
    (tmp_path / "app.py").write_text(SERVER)
    (tmp_path / "lib").mkdir()
    command = ("--app-port", app_port(), "--", sys.executable, "app.py")
    with reloading(tmp_path, "--reload-dir", "lib", *command) as terminal:
        (tmp_path / "other.py").write_text("1" * 10_000)
        (tmp_path / "lib" / "own.py").write_text("1" * 10_000)
        terminal.wait("changed: restarting")
    assert restarts(terminal) == ["lib/own.py changed: restarting"]

    options = ("--reload", "--reload-dir", "none", "--port", "0")
    with open_terminal(*options, *command, cwd=tmp_path) as terminal:
        assert terminal.status() == 1
    assert re.search("none: there is no such folder", "\n".join(terminal.lines))
