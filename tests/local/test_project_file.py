"""``[tool.lambda-adapter.local]`` in pyproject.toml."""

import json
from pathlib import Path

import pytest

from tests.local.client import ask
from tests.local.terminal import open_terminal
from tests.local.test_advice import WSGI


def write(folder: Path, table: str) -> None:
    """Write an application and a pyproject.toml."""
    (folder / "main.py").write_text(WSGI)
    text = f"[project]\nname = 'x'\n[tool.lambda-adapter.local]\n{table}\n"
    (folder / "pyproject.toml").write_text(text)


def test_what_one_types_each_day(tmp_path: Path):
    """With an application in pyproject.toml, `lambda-adapter local` is the command."""
    write(tmp_path, 'wsgi = "main:app"\nport = 0\ngateway = "alb"\njson = true')
    with open_terminal(cwd=tmp_path) as terminal:
        start = json.loads(terminal.wait('"start"'))
        terminal.wait('"ready"')
        body = ask(int(start["url"].rpartition(":")[2])).body
        terminal.end()

    assert (start["event"], start["command"]) == ("alb", "--wsgi main:app")
    assert body == b"hello"


def test_the_command_line_is_stronger(tmp_path: Path):
    """An application and options on the command line override those of the file."""
    write(tmp_path, 'command = "no-such-app"\nport = 0\nevent = "alb"\njson = true')
    options = ("--no-json", "--gateway", "rest-api", "--wsgi", "main:app")
    with open_terminal(*options, cwd=tmp_path) as terminal:
        terminal.wait("^ready")

    assert terminal.lines[0].endswith("  rest-api -> lambda-adapter -> --wsgi main:app")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("prot = 1", "no option prot; did you mean port?"),
        ("port = 'x'", "Expected `int`, got `str`, for `port`"),
        ("gateway = 'alp'", "'alp' is not one of"),
        ("command = 1", "command is neither text nor a list"),
        ("asgi = 'a:b'\ncommand = 'x'", "one of asgi, wsgi and command"),
        ("port =", "can't be read: "),
    ],
)
def test_what_it_can_not_say(tmp_path: Path, table: str, said: str):
    """A mistake in pyproject.toml is one line that names the file."""
    write(tmp_path, table)
    with open_terminal("--wsgi", "main:app", cwd=tmp_path) as terminal:
        assert terminal.status() == 1

    assert terminal.wait(f"^error  pyproject.toml.*{said}")
    assert len(terminal.lines) == 1
