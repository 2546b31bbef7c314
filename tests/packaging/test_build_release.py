"""What packaging/build_release.py refuses to release."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter import __version__
from tests.emulator import PROJECT

PROGRAM = PROJECT / "packaging/build_release.py"
URLS = '[project]\nurls = {Source = "https://example.org/"}\n'
CHANGES = f"# Changelog\n\n## [Unreleased]\n\n## [{__version__}] - 2026-12-01\n\n- A.\n"


def refusal(tmp_path: Path, tag: str, changelog: str, project: str) -> str:
    """Return why a tag is not released from a directory with these files."""
    (tmp_path / "CHANGELOG.md").write_text(changelog)
    (tmp_path / "pyproject.toml").write_text(project)
    done = subprocess.run(
        [sys.executable, PROGRAM, "--check-tag", tag],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


def test_right_tag(tmp_path: Path):
    """A tag of the version, which the changelog describes, is released."""
    assert refusal(tmp_path, f"v{__version__}", CHANGES, URLS) == ""


@pytest.mark.parametrize(
    ("tag", "changelog", "project", "expected"),
    [
        ("v9.9.9", CHANGES, URLS, f"v9.9.9 is not the tag of version {__version__}"),
        (f"v{__version__}", "## [Unreleased]\n", URLS, "CHANGELOG.md has no section"),
        (f"v{__version__}", CHANGES, "[project]\n", "has no [project.urls]"),
    ],
    ids=["another version", "no changes", "no URLs"],
)
def test_wrong_tag(
    tmp_path: Path, tag: str, changelog: str, project: str, expected: str
):
    """A tag without its version, its changes or the project's URLs is refused."""
    assert expected in refusal(tmp_path, tag, changelog, project)
