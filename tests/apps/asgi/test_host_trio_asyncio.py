"""``host_trio_asyncio``: an application on trio-asyncio, in a process of its own."""

import os
import subprocess
import sys

import pytest

from tests.emulator import PROJECT

needs_trio_asyncio = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="trio-asyncio can't be imported"
)


@needs_trio_asyncio
def test_seats():
    """All that holds on the other loops holds on trio-asyncio's."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/apps/asgi/test_seat.py"],
        cwd=PROJECT,
        env={**os.environ, "TEST_LOOPS": "trio-asyncio"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert run.returncode == 0, run.stdout
