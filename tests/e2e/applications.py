"""Applications for tests: how they are built and started, where that can be done."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambda_adapter.local.testing import LambdaApp, open_app
from tests.emulator import PROJECT
from tests.ports import free_port

EXAMPLES = PROJECT / "examples"
APPS = PROJECT / "tests/programs"
BUILT = PROJECT / ".cache/applications"


def need(command: str) -> None:
    """Leave a test out where its application can't be had; in CI, fail."""
    if not shutil.which(command):
        assert "CI" not in os.environ, f"{command} is missing"
        pytest.skip(f"{command} is not installed")


def made_once(here: Path, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first who needs it makes, while all others wait.

    Tests of several processes need the same, and at once.
    """
    here.parent.mkdir(parents=True, exist_ok=True)
    with here.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not here.exists():
            partial = here.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            make(partial)
            partial.rename(here)
    return here


def built(name: str, command: list[str]) -> Path:
    """Build an example outside the tree, once for each state that its files have."""
    need(command[0])
    sources = [path for path in (EXAMPLES / name).rglob("*") if path.is_file()]
    state = hashlib.sha256()
    for path in sorted(sources):
        state.update(path.read_bytes())

    def build(folder: Path) -> None:
        shutil.copytree(EXAMPLES / name, folder)
        subprocess.run(command, cwd=folder, check=True)

    return made_once(BUILT / f"{name}-{state.hexdigest()[:16]}", build)


def built_expressjs() -> Path:
    """Return where Express.js and the example that uses it are installed."""
    return built("expressjs", ["npm", "ci", "--no-audit", "--no-fund"])


def built_django() -> Path:
    """Return where the Django example is, with its static files collected."""
    return built("django", [sys.executable, "manage.py", "collectstatic", "--no-input"])


def built_springboot() -> Path:
    """Return where the Spring Boot example is packaged."""
    return built("springboot", ["mvn", "--batch-mode", "--quiet", "package"])


Command = tuple[list[str | Path], Path]
"""What starts an application, and where."""


def uvicorn(app: str, *options: str) -> Callable[[int, Path], Command]:
    """Return what serves an ASGI application of ``programs/hooks.py``."""

    def command(port: int, _: Path) -> Command:
        server = Path(sys.executable).with_name("uvicorn")
        quiet = ("--log-level", "critical")
        return [server, "--port", str(port), *quiet, *options, f"hooks:{app}"], APPS

    return command


def gunicorn(app: str, *options: str) -> Callable[[int, Path], Command]:
    """Return what serves a WSGI application of ``programs/hooks.py``."""

    def command(port: int, _: Path) -> Command:
        server = Path(sys.executable).with_name("gunicorn")
        where = ("--chdir", APPS, "--threads", "2", "--bind", f"127.0.0.1:{port}")
        return [server, "--no-control-socket", *where, *options, f"hooks:{app}"], APPS

    return command


def node(kind: str, *options: str) -> Callable[[int, Path], Command]:
    """Return what serves a kind of ``programs/hooks.cjs``."""

    def command(port: int, _: Path) -> Command:
        need("node")
        where = built_expressjs() if kind in {"express", "mounted"} else APPS
        script = (APPS / "hooks.cjs", kind, str(port))
        return ["node", "--no-deprecation", *options, *script], where

    return command


def example_on_uvicorn(name: str, port: int) -> list[str]:
    """Return the command of an example's server."""
    server = str(Path(sys.executable).with_name("uvicorn"))
    return [server, "--port", str(port), "--app-dir", str(EXAMPLES / name), "app:app"]


@contextmanager
def open_streaming_example(
    name: str, timeout: float = 30, **environ: str
) -> Iterator[LambdaApp]:
    """Serve an example on uvicorn behind a local function URL that streams."""
    port = free_port()
    with open_app(
        example_on_uvicorn(name, port),
        event="function-url",
        invoke_mode="response_stream",
        app_port=port,
        timeout=timeout,
        env={"PYTHONDONTWRITEBYTECODE": "1", **environ},
    ) as app:
        yield app
