"""``lambda-adapter local --microvm``: what is typed, what it prints, how it ends."""

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.adapter import measured
from tests.local.client import ask
from tests.local.terminal import open_terminal
from tests.microvm.lambda_side import UVICORN, listens, wait_until
from tests.ports import free_ports


def command(*options: str) -> list[str]:
    """Return the arguments of a MicroVM on free ports."""
    (port,) = free_ports(1)
    own = ["--microvm", "--port", "0", "--app-port", str(port), *options, "--"]
    return [*own, *UVICORN, "--port", str(port)]


def test_a_session():
    """Each typed command runs and is reported; the end of input ends the session."""
    arguments = command("--payload", "hello")
    with open_terminal(*arguments, env=measured(), stdin=subprocess.PIPE) as terminal:
        terminal.wait("^200  run")
        assert ask(terminal.port, "/page").status == 204
        terminal.type("resume")
        terminal.wait("^resume: the MicroVM is running$")
        for word in ("suspend", "resume", "suspend"):
            terminal.type(word)
        terminal.type("sleep")
        terminal.wait("^unknown command 'sleep': type suspend, resume, terminate$")
        terminal.type(" TERMINATE ")
        assert terminal.status() == 0

    rows = [line.split("  ")[1] for line in terminal.lines if line.startswith("200  ")]
    assert rows[0].startswith("ready")
    assert rows[1:] == ["validate", "run", "suspend", "resume", "suspend", "terminate"]
    assert terminal.lines[-1] == "ended"
    assert " microvm -> lambda-adapter -> " in terminal.lines[0]


def test_ctrl_c():
    """Ctrl-C terminates the MicroVM: its hook is called, and nothing is left."""
    arguments = command()
    with open_terminal(*arguments, env=measured()) as terminal:
        terminal.wait("^200  run")

        assert terminal.end() == 0

    assert terminal.lines[-2].startswith("200  terminate")
    wait_until(lambda: not listens(int(arguments[-1])))


def test_json():
    """With --json each hook is an object for programs."""
    with open_terminal(*command("--json"), env=measured()) as terminal:
        start = json.loads(terminal.wait('"start"'))
        told = json.loads(terminal.wait('"name": "run"'))
        terminal.end()

    assert start["event"] == "microvm"
    assert (told["type"], told["status"], told["calls"]) == ("hook", 200, 1)
    assert told["durationMs"] > 0
    assert told["note"] is None
    assert json.loads(terminal.lines[-1]) == {"type": "end"}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "^error  the application ended with exit status 3"),
        ("kill -KILL $$", "^error  the application ended with signal 9"),
    ],
)
def test_an_application_that_ends(script: str, said: str):
    """An application that exits is reported, and the exit status is 1."""
    options = ("--microvm", "--port", "0", "--app-port", str(free_ports(1)[0]), "--")
    with open_terminal(*options, "sh", "-c", script) as terminal:
        assert terminal.status() == 1

    terminal.wait(said)


def test_a_port_with_two_uses():
    """A gateway on the port of the hooks is refused before anything starts."""
    (port,) = free_ports(1)
    arguments = ("--microvm", "--port", str(port), "--", "--microvm-hooks", str(port))
    with open_terminal(*arguments, "true") as terminal:
        assert terminal.status() == 1

    assert terminal.lines == [
        f"error  the application or the hooks need port {port}: choose another --port"
    ]


@pytest.mark.parametrize("option", ["--reload", "--freeze", "--cold", "--sandbox"])
def test_options_of_functions(option: str):
    """An option that only functions have is refused beside --microvm."""
    with open_terminal("--microvm", option, "--", "true") as terminal:
        assert terminal.status() == 64

    terminal.wait(f"--microvm and {option} exclude each other")


def test_a_payload_for_a_function():
    """A payload without --microvm is refused: a function has none."""
    with open_terminal("--payload", "x", "--", "true") as terminal:
        assert terminal.status() == 64

    terminal.wait("--payload needs --microvm")


def test_a_terminal():
    """In a terminal, the words that can be typed are named."""
    ours, theirs = pty.openpty()
    with (
        open(ours, "wb", buffering=0) as keyboard,
        open_terminal(*command(), env=measured(), stdin=theirs) as terminal,
    ):
        os.close(theirs)
        line = terminal.wait("^running; type")
        keyboard.write(b"terminate\n")
        # Another process group's terminal: the test's processes are not in its
        # foreground, where a read would stop them.
        assert terminal.process.poll() is None
        terminal.end()

    assert line == "running; type suspend, resume, terminate, and Enter"
    assert sys.stdin is not None
