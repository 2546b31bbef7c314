"""The images, built once, and the table of what was measured."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.images.bases import make_bases
from tests.images.engine import PROJECT, Engine, open_engine
from tests.images.measured import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILD_TIMEOUT = 1_800
"""Seconds for a test that is the first to need an image, and builds them all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(BUILD_TIMEOUT))


ECHOING = (
    *("flask", "django", "fastapi", "expressjs", "nextjs", "springboot", "nginx"),
    *("go", "php"),
)
"""Examples that show the request which reached them."""

EXAMPLES = (*ECHOING, "events", "sse", "mcp")


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, with the adapter's images built from this very tree."""
    engine = open_engine()
    if engine.private:
        make_bases(engine)
    builder = [sys.executable, "packaging/build_images.py", shlex.join(engine.command)]
    subprocess.run(
        [*builder, "--network", "host"], cwd=PROJECT, env=engine.environ, check=True
    )
    return engine


@pytest.fixture(scope="session")
def examples(engine: Engine) -> Mapping[str, str]:
    """The examples' images, by their names."""
    images = {name: f"{name}-example" for name in EXAMPLES}
    for name, image in images.items():
        engine.build(PROJECT / "examples" / name, image)
    return images


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, rows in TABLES.items():
        terminalreporter.section(title)
        for row in rows:
            terminalreporter.line(row)
