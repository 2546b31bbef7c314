"""``server``: which web server runs an application of Python outside Lambda."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from lambda_adapter.config import Config
from lambda_adapter.errors import AppStartError
from lambda_adapter.off_lambda import server_command, server_environ
from tests.emulator import PROJECT
from tests.ports import free_port

PROGRAMS = str(PROJECT / "tests" / "programs")


def command(**environ):
    return server_command(Config({f"AWS_LWA_{k}": v for k, v in environ.items()}))


def test_factories():
    """A factory is passed to the server as the server expects it."""
    assert command(ASGI_APP="main:create()")[-2:] == ["--factory", "main:create"]
    assert command(WSGI_APP="main:create()")[-1] == "main:create()"


@pytest.mark.parametrize(
    ("settings", "environ", "path"),
    [
        ({}, {}, None),
        ({"AWS_LWA_APP_DIR": "/app"}, {}, "/app"),
        ({"AWS_LWA_APP_DIR": "/app"}, {"LAMBDA_TASK_ROOT": "/t"}, "/app:/t"),
        ({}, {"LAMBDA_TASK_ROOT": "/t", "PYTHONPATH": "/p"}, "/t:/p"),
    ],
)
def test_where_the_server_looks(settings, environ, path):
    """The server finds an application where Lambda would import it from."""
    assert server_environ(Config(settings), environ).get("PYTHONPATH") == path


def test_no_server():
    """If no server is installed, a line says which one to install."""
    code = (
        "import sys\n"
        "from lambda_adapter.config import Config\n"
        "from lambda_adapter.off_lambda import server_command\n"
        "server_command(Config({'AWS_LWA_ASGI_APP': 'main:app'}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert AppStartError.__name__ in run.stderr
    assert "needs a web server: pip install uvicorn" in run.stderr


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--asgi", "asgi_app:app"),
        ("--asgi", "asgi_app:create()"),
        ("--wsgi", "wsgi_app:create()"),
    ],
)
def test_becomes_the_server(option, name):
    """Outside Lambda, the same command line is a web server on the port that is set."""
    port = free_port()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "lambda_adapter"),
            *("--app-dir", PROGRAMS, option, name),
        ],
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                if "running on" in line or "Listening at" in line:
                    break
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/stream", timeout=10
            ) as response:
                assert response.read() == b"piece 0\npiece 1\npiece 2\n"
        finally:
            process.send_signal(signal.SIGTERM)
