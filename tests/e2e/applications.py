"""The examples that need more than Python: where they are built, and whether."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulator import PROJECT

EXAMPLES = PROJECT / "examples"


def need(command: str) -> None:
    """Leave a test out where its application can't be had; in CI, fail."""
    if not shutil.which(command):
        assert "CI" not in os.environ, f"{command} is missing"
        pytest.skip(f"{command} is not installed")


def built(name: str, command: list[str]) -> Path:
    """Build an example outside the tree, once for each state that its files have."""
    need(command[0])
    sources = [path for path in (EXAMPLES / name).rglob("*") if path.is_file()]
    state = hashlib.sha256()
    for path in sorted(sources):
        state.update(path.read_bytes())
    here = PROJECT / ".cache/applications" / f"{name}-{state.hexdigest()[:16]}"
    if not here.exists():
        partial = here.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(EXAMPLES / name, partial)
        subprocess.run(command, cwd=partial, check=True)
        partial.rename(here)
    return here


def built_expressjs() -> Path:
    """Return where Express.js and the example that uses it are installed."""
    return built("expressjs", ["npm", "ci", "--no-audit", "--no-fund"])
