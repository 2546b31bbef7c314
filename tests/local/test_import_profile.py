"""``--profile-imports``: what the first response did not need to import."""

import json
import re
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.debugging import PROFILE_START, profiled
from lambda_adapter.local.import_profile import Imports, Row, describe
from lambda_adapter.local.ports import SetupError
from tests.local.client import ask
from tests.local.terminal import app_port, open_terminal

pytestmark = pytest.mark.e2e

APP = """
import used
import unused
import at_start

READY = at_start.prepare()

def look():
    return used.make()

def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [look()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": look()})
"""

SLOW = "sum(range(3_000_000))\n"
"""More of an import than what a server imports takes."""

MODULES = {
    "main": APP,
    "used": f"import below_used\n{SLOW}def make(): return b'made'\n",
    "below_used": f"{SLOW}def never(): pass\n",
    "unused": f"import below_unused\n{SLOW}below_unused.run()\ndef never(): pass\n",
    "below_unused": f"{SLOW}def run(): pass\n",
    "at_start": f"{SLOW}def prepare(): pass\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application with modules that it needs, and others."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["--wsgi", "main:wsgi"], id="wsgi"),
        pytest.param(["--asgi", "main:asgi"], id="asgi"),
        pytest.param(["--", "gunicorn", "main:wsgi"], id="gunicorn, a fork"),
        pytest.param(
            ["--", sys.executable, "-m", "uvicorn", "main:asgi", "--port", "PORT"],
            id="python -m uvicorn",
        ),
    ],
)
def test_what_was_not_needed(folder: Path, command: list[str]):
    """An import is listed, with time and line, if none of its code ran later.

    What ran in the request or at the start was needed; what is below an import that was
    not needed is not listed again. Nothing that the adapter imports is listed.
    """
    port = app_port()
    words = [port if word == "PORT" else word for word in command]
    options = ("--profile-imports", "--port", "0", "--app-port", port)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    with open_terminal(*options, *words, cwd=folder, env={"PATH": path}) as terminal:
        terminal.wait("^ready")
        ask(terminal.port)
        terminal.wait("^pin  ")
        assert ask(terminal.port).body == b"made"
        assert terminal.end() == 0

    pinned = terminal.lines.index(terminal.wait("^pin  "))
    unneeded = rows(terminal.lines[:pinned])
    needed = rows(terminal.lines[pinned:])
    assert unneeded["unused"] == ("main.py:3", "2")
    assert unneeded["below_used"] == ("used.py:1", "1")
    assert not {"used", "at_start", "below_unused"} & unneeded.keys()
    assert {"used", "at_start"} <= needed.keys()
    assert not {"unused", "below_used"} & needed.keys()
    assert not any("trio" in name for name in unneeded | needed)


def rows(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Return the place and the count of modules of each import that lines name."""
    row = re.compile(r" *\d+ ms  (\S+)  (\S+)  (\d+) modules?")
    found = [row.fullmatch(line) for line in lines]
    return {each[1]: (each[2], each[3]) for each in found if each}


def test_lines_of_json(folder: Path):
    """With --json, the list is a notice for each line."""
    options = ("--profile-imports", "--json", "--port", "0", "--wsgi", "main:wsgi")
    with open_terminal(*options, cwd=folder) as terminal:
        terminal.wait('"type": "ready"')
        start = json.loads(terminal.wait('"type": "start"'))
        ask(int(start["url"].rpartition(":")[2]))
        terminal.wait("the first response did not need")


def test_nothing_to_say():
    """If all imports were needed, there is no advice."""
    (line,) = describe(Imports(12.3, [], []))

    assert line == "imports  12 ms, of which the first response did not need 0 ms:"
    needed = describe(Imports(12.3, [], [Row(12.0, "app", 1, "main.py:1")]))
    assert needed[1:] == [
        "pin  these were needed, and belong into the init:",
        "      12 ms  app  main.py:1  1 module",
    ]


def test_what_can_not_be_profiled():
    """A command that is not Python's is named; Python's own options stay in front."""
    with pytest.raises(
        SetupError, match="knows programs of Python, and 'node' is not one"
    ):
        profiled(["node", "server.js"], {}, "/s")

    assert profiled(["python3", "-u", "-m", "app", "-x"], {}, "/s") == [
        *("python3", "-u", PROFILE_START, "/s", "-m", "app", "-x")
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--environments", "2"), "--profile-imports is for one environment"),
        (("--debug",), "--profile-imports and --debug exclude each other"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], said: str):
    """The option is for one environment, without a debugger."""
    with open_terminal("--profile-imports", *options, "--wsgi", "a:b") as terminal:
        assert terminal.status() == 1

    terminal.wait(said)
