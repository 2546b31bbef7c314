"""The examples in the sandbox: none of them needs what Lambda takes away."""

import sys
from collections.abc import Callable
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
from tests.local.client import ask
from tests.local.terminal import app_port, open_terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes")

OPTIONS = ("--sandbox", "--freeze", "--memory", "1769", "--timeout", "60")


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

    with open_terminal(
        *OPTIONS, *words, cwd=cwd, env=environ, is_measured=False
    ) as terminal:
        gateway = terminal.port
        statuses = [ask(gateway).status for _ in range(3)]

    assert statuses == [200] * 3, terminal.lines
    said = [line for line in terminal.lines if line.startswith("sandbox  ")]
    assert [line for line in said if "read-only on Lambda" in line] == []
    assert said, terminal.lines
