"""``lambda-adapter local -- COMMAND``: what it says, and how it ends."""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lambda_adapter import __version__
from lambda_adapter.local.cli import COMMANDS, main
from lambda_adapter.local.processes import wait_ended
from tests.emulator import PROJECT
from tests.local.client import ask
from tests.local.conftest import APP
from tests.local.terminal import app_port, open_terminal


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
    """An unknown option of the adapter is reported in one line."""
    with open_terminal("--port", "0", "--", "--asgy", "app:app") as terminal:
        assert terminal.status() == 1

    assert terminal.lines == ["error  there is no option --asgy; did you mean --asgi?"]


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
    """The adapter's settings are printed, with a warning about unknown ones."""
    settings = {"AWS_LWA_PASS_THROUGH_PATH": "/queue", "AWS_LWA_PROT": "1"}
    options = ("--port", "0", "--app-port", app_port(), "--")
    with open_terminal(*options, *APP, env=settings) as terminal:
        terminal.wait("^ready")
        line = terminal.wait("^settings")
        warning = terminal.wait("did you mean")

    assert line == "settings  AWS_LWA_PASS_THROUGH_PATH=/queue  AWS_LWA_PROT=1"
    assert "AWS_LWA_PROT is not a setting of this adapter" in warning


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_end_in_the_middle_of_a_request(number: signal.Signals):
    """A signal ends every process within seconds, even in the middle of a request."""
    with open_terminal("--port", "0", "--app-port", app_port(), "--", *APP) as terminal:
        terminal.wait("^ready")
        ask(terminal.port, "/child")
        everyone = psutil.Process(terminal.process.pid).children(recursive=True)
        asking = threading.Thread(target=_ask_in_vain, args=[terminal.port])
        asking.start()
        terminal.wait("it hangs")

        os.killpg(terminal.process.pid, number)

        assert wait_ended(everyone, 5) == []
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
        (["--asgi", "a:b", "--wsgi", "c:d"], "exclude each other"),
        (["--debug", "uvicorn", "a:b"], "put -- before a COMMAND that follows"),
        ([], "Missing argument"),
        (["--cold", "--concurrency", "2", "--", *APP], "exclude each other"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str):
    """An invalid command line is reported with the usage, and status 64."""
    with open_terminal(*arguments) as terminal:
        assert terminal.status() == 64

    terminal.wait("^Usage: lambda-adapter local")
    terminal.wait(said)


@pytest.mark.parametrize(
    "options", [("--wsgi", "app:app"), ("--", "--wsgi", "app:app")]
)
def test_one_plain_command(options: tuple[str, ...]):
    """An application is named before `--` or after it; the page is the second line."""
    folder = PROJECT / "examples" / "flask"
    with open_terminal("--port", "0", *options, cwd=folder) as terminal:
        terminal.wait("^ready")
        assert ask(terminal.port, "/cookies").status == 200

    assert terminal.lines[1].startswith("invocations  http://127.0.0.1:")
    assert not [line for line in terminal.lines if line.startswith("settings")]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_and_version_everywhere(
    command: list[str], capsys: pytest.CaptureFixture[str]
):
    """Each command has -h, --help, -V and --version."""
    for option in ("-h", "--help"):
        assert main([*command, option]) == 0
        assert capsys.readouterr().out.startswith("Usage: ")
    for option in ("-V", "--version"):
        assert main([*command, option]) == 0
        assert capsys.readouterr().out == f"lambda-adapter {__version__}\n"


def test_variables_of_a_file(tmp_path: Path):
    """The application gets a file's variables, and the shell's own are stronger."""
    (tmp_path / ".env").write_text("A=file\nB='file b'\n")
    options = ("--env-file", ".env", "--port", "0", "--app-port", app_port())
    show = "import os; print(os.environ['A'], os.environ['B'], flush=True)"
    command = [sys.executable, "-c", show]
    line = (*options, "--", *command)
    with open_terminal(*line, cwd=tmp_path, env={"A": "1"}) as terminal:
        assert terminal.wait("file b") == "1 file b"


def test_help():
    """The help names every kind of gateway, and the other commands."""
    with open_terminal("--help") as terminal:
        assert terminal.status() == 0

    text = " ".join(terminal.lines)
    commands = ("local check", "local invoke", "local events", "local completion")
    for word in ("function-url", "--reload", *commands):
        assert word in text
