"""Fixtures: the zipapp under AWS's emulator, in front of an application.

All tests of this folder are marked ``e2e``.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.emulator import BOOTSTRAP, PROJECT, Emulator, open_emulator
from tests.ports import free_ports

BUILD_TIMEOUT = 600
"""Seconds for a test that is the first to need what npm, Maven or the zipapp build."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(BUILD_TIMEOUT))


TMP = PROJECT / ".cache/tmp"
TMP.mkdir(parents=True, exist_ok=True)

SHIV_ROOT = {"SHIV_ROOT": str(PROJECT / ".cache/shiv"), "TMPDIR": str(TMP)}
"""Where the zipapp unpacks itself, once for all tests of this checkout.

It is not to find what another checkout or an earlier run has left in /tmp.
"""


@asynccontextmanager
async def open_flask(tmp_path: Path, **env: str) -> AsyncIterator[Emulator]:
    """Serve the Flask example by gunicorn, behind the zipapp under the emulator."""
    (port,) = free_ports(1)
    gunicorn = Path(sys.executable).with_name("gunicorn")
    options = ("--no-control-socket", "--bind", f"127.0.0.1:{port}")
    async with open_emulator(
        [BOOTSTRAP, gunicorn, *options, "app:app"],
        cwd=PROJECT / "examples/flask",
        env={"PORT": str(port), **SHIV_ROOT, **env},
        log_path=tmp_path / "log",
    ) as emulator:
        yield emulator


@pytest.fixture
async def flask(tmp_path: Path) -> AsyncIterator[Emulator]:
    """The Flask example."""
    async with open_flask(tmp_path) as emulator:
        yield emulator


@pytest.fixture
async def mirror(tmp_path: Path) -> AsyncIterator[Emulator]:
    """An application that responds with the bytes of the request."""
    (port,) = free_ports(1)
    application = PROJECT / "tests/programs/mirror.py"
    async with open_emulator(
        [BOOTSTRAP, sys.executable, application, str(port)],
        env={"PORT": str(port), **SHIV_ROOT},
        log_path=tmp_path / "log",
    ) as emulator:
        yield emulator
