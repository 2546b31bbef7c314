"""Examples and servers in the sandbox: do they need what Lambda takes away?"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.e2e.examples import (
    Command,
    django,
    expressjs,
    fastapi,
    flask,
    go,
    nginx_in_tmp,
    php,
    springboot,
)
from tests.e2e.servers import SERVERS, Make, hypercorn, of
from tests.local.client import ask
from tests.local.terminal import app_port, open_terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes")

WRITING = ("nginx and PHP-FPM", "Apache", "Tomcat")
"""Servers whose tests have them write beside their settings."""

OPTIONS = ("--sandbox", "--freeze", "--memory", "1769", "--timeout", "60")


def serve(words: Iterable[str], cwd: Path, environ: dict[str, str]) -> list[str]:
    """Start an application in the sandbox, request it, and return what is printed."""
    with open_terminal(
        *OPTIONS, *words, cwd=cwd, env=environ, is_measured=False
    ) as terminal:
        gateway = terminal.port
        statuses = [ask(gateway).status for _ in range(3)]
    assert statuses == [200] * 3, terminal.lines
    return terminal.lines


def refused(lines: list[str]) -> list[str]:
    """Return what the sandbox has said of writes; it says at least what it enforces."""
    said = [line for line in lines if line.startswith("sandbox  ")]
    assert said, lines
    return [line for line in said if "read-only on Lambda" in line]


@pytest.mark.parametrize(
    "application",
    [flask, django, fastapi, expressjs, springboot, go, php, nginx_in_tmp],
)
def test_examples_need_nothing_else(
    tmp_path: Path, application: Callable[[int, Path], Command]
):
    """Each example starts and serves frozen requests, and writes to /tmp alone."""
    port = app_port()
    command, cwd, environ = application(int(port), tmp_path)
    words = ("--port", "0", "--app-port", port, "--", *map(str, command))
    environ |= {"PORT": port, "DOMAINS": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}

    lines = serve(words, cwd, environ)

    assert refused(lines) == []


@pytest.mark.parametrize(
    "server",
    of(
        {name: make for name, (make, _) in SERVERS.items() if name not in WRITING}
        | {"hypercorn": hypercorn("--workers", "0")}
    ),
)
def test_servers_need_nothing_else(tmp_path: Path, server: Make):
    """Each server starts and serves frozen requests, and writes to /tmp alone."""
    port = app_port()
    command = server(int(port), tmp_path)
    words = ("--port", "0", "--app-port", port, "--", *map(str, command))
    environ = {"PORT": port, "PYTHONDONTWRITEBYTECODE": "1"}

    lines = serve(words, tmp_path, environ)

    assert refused(lines) == []


def test_hypercorn_needs_shared_memory_for_a_worker(tmp_path: Path):
    """Hypercorn does not start in the sandbox with its default, a worker process."""
    port = app_port()
    words = ("--port", "0", "--app-port", port, "--")

    with open_terminal(
        *OPTIONS, *words, *hypercorn()(int(port), tmp_path), is_measured=False
    ) as terminal:
        line = terminal.wait("/dev/shm")

    assert line.startswith("sandbox  ")
