"""What packaging/build_release.py refuses to release."""

import os
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


@pytest.mark.parametrize("by", ["argument", "environment"])
@pytest.mark.parametrize(
    "tag",
    [
        *("v1;touch {}", "v1$(shell touch {})", "v1`touch {}`", "v1$(touch {})"),
        *("v1$$(touch {})", "v1';touch {};'", 'v1";touch {};"', "v1|touch {}", "v1 {}"),
        *("$(shell touch {})", "$(file >{})", "v1\ntouch {}", "--output={}", "v1#\\"),
    ],
)
def test_tag_is_a_value(tmp_path: Path, tag: str, by: str):
    """A tag is compared with the version's: neither make nor the shell reads it."""
    planted = tmp_path / "planted"
    tag = tag.replace("{}", str(planted))
    command = ["make", "--old-file=.venv/with-dev", "release-tag"]
    done = subprocess.run(
        [*command, f"TAG={tag}"] if by == "argument" else command,
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **({} if by == "argument" else {"TAG": tag})},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert f"{tag} is not the tag of version {__version__}" in done.stderr
    assert not planted.exists()


@pytest.mark.parametrize("tag", ["", f"v{__version__}"])
def test_usual_tags_reach_make(tag: str):
    """Without a tag nothing is checked, and the version's own tag is recognised."""
    done = subprocess.run(
        ["make", "--old-file=.venv/with-dev", "release-tag", f"TAG={tag}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )

    assert "is not the tag" not in done.stderr
    assert tag or done.returncode == 0
