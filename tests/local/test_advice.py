"""What was probably meant by a command or an application that does not exist."""

from pathlib import Path

import pytest

from lambda_adapter.local import cli
from lambda_adapter.startup_failure import COMMANDS_OF_LOCAL
from tests.local.terminal import open_terminal

WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an application, and what people name instead of it."""
    (tmp_path / "main.py").write_text(WSGI)
    (tmp_path / "shop").mkdir()
    (tmp_path / "app.js").touch()
    (tmp_path / "run").write_text("#!/bin/sh\nexec true\n")
    (tmp_path / "run").chmod(0o755)
    for program in ".venv/bin/serve-it", "node_modules/.bin/next":
        (tmp_path / program).parent.mkdir(parents=True)
        (tmp_path / program).write_text("#!/bin/sh\nexec true\n")
        (tmp_path / program).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--", "uvicorn --port 8080 main:app"], "local -- uvicorn --port 8080 main:"),
        (["uvicorn main:app"], "local -- uvicorn main:app"),
        (["--", "/tmp"], "'/tmp' is a directory"),
        (["shop"], "'shop' is a directory"),
        (["main:app"], "--asgi main:app .* or --wsgi main:app"),
        (["./main.py:app"], "--asgi main:app .* or --wsgi main:app"),
        (["main.py"], "local -- python main.py"),
        (["app.js"], "local -- node app.js"),
        (["run"], "name it ./run"),
        (["no-such-app"], "no command 'no-such-app' on PATH: install it, or activate"),
        (["./no-such-app"], "'./no-such-app' can't be started: No such file"),
        (["slepe", "1"], "'slepe' on PATH; did you mean sleep?"),
        (
            ["checq", "true"],
            "'checq' on PATH; did you mean .* local check?",
        ),
        (
            ["serve-it"],
            r"it is in \.venv/bin: name it \.venv/bin/serve-it, or activate",
        ),
        (["next"], r"it is in node_modules/\.bin: name it node_modules/\.bin/next"),
        (["--asgi", "main.py:app"], "did you mean --asgi main:app"),
        (["--wsgi", "./main.py:app"], "did you mean --wsgi main:app"),
        (["--wsgi", "shop/main.py:make()"], "did you mean --wsgi shop.main:make"),
        (["--wsgi", "../shop/main.py:app"], "--app-dir ../shop --wsgi main:app"),
        (["--asgi", "/app/main.py"], "did you mean --app-dir /app --asgi main:app"),
        (["--wsgi", "main"], "did you mean --wsgi main:app"),
        (["--", "--wsgi", "main.py:app"], "did you mean --wsgi main:app"),
        (["--wsgi", "main:app", "--app-dir", "nosuch"], "nosuch: there is no such"),
        (["--wsgi", "main:app", "sleep"], "either --wsgi main:app or a command"),
        (["--", "--asgy", "main:app"], "no option --asgy; did you mean --asgi"),
        (
            ["--env-file", "none", "run"],
            "--env-file none can't be read: No such file or directory$",
        ),
    ],
)
def test_what_was_meant(folder: Path, arguments: list[str], meant: str):
    """A command or application that does not exist is one line with what was meant."""
    with open_terminal("--port", "0", *arguments, cwd=folder) as terminal:
        assert terminal.status() == 1

    assert terminal.wait(f"^error  .*{meant}")
    assert len(terminal.lines) == 1


def test_the_commands_of_local():
    """The commands that a mistyped one is compared with are all that there are."""
    assert tuple(cli.COMMANDS) == COMMANDS_OF_LOCAL
