"""The Makefile's targets."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.emulator import PROJECT

PHONY = re.findall(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
TARGETS = " ".join(PHONY).split()
MARK = re.compile(r"\bmark\.release\b")
MADE = (".*", "build", "dist", "mutants", "__pycache__")
"""What is not a source: what the targets make, and hidden directories."""


def make(*arguments: str) -> str:
    """Run make in this checkout, and return what it prints."""
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("target", [[], ["help"]], ids=["make", "make help"])
def test_help(target):
    """``make`` and ``make help`` print a line for each target that is a command."""
    lines = [line.split(maxsplit=2) for line in make(*target).splitlines()]

    assert all(word == "make" and about for word, _, about in lines)
    assert sorted(target for _, target, _ in lines) == sorted(TARGETS)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as a clone has them: nothing is made yet."""
    directory = tmp_path_factory.mktemp("fresh") / "checkout"
    shutil.copytree(PROJECT, directory, ignore=shutil.ignore_patterns(*MADE))
    return directory


@pytest.mark.parametrize("target", [*TARGETS, "dist/lambda-adapter-aarch64"])
def test_no_rule_is_missing(target: str, fresh: Path):
    """In a fresh checkout, make has a rule for everything that a target needs."""
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=fresh, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("target", ["demo", "quick"])
def test_first_commands_install_little(target):
    """``make demo`` and ``make quick`` say that they install, and install one group."""
    commands = make("--dry-run", "--always-make", target).splitlines()

    (sync,) = [number for number, line in enumerate(commands) if "uv sync" in line]
    assert f"--no-default-groups --group {target}" in commands[sync]
    assert "Installing what the group" in commands[sync - 1]


def test_what_quick_leaves_out():
    """What ``make quick`` leaves out exists, and ``make rest`` runs it."""
    (quick,) = [
        line for line in make("--dry-run", "quick").splitlines() if "/pytest" in line
    ]
    rest = make("--dry-run", "rest").splitlines()

    left_out = re.findall(r"--ignore=(\S+)", quick)
    assert "tests/bench" in left_out
    assert [path for path in left_out if not (PROJECT / path).exists()] == []
    words = [line.split() for line in rest if "/pytest" in line]
    assert any(line[-len(left_out) :] == left_out for line in words)


def test_where_a_release_is_tested():
    """``make release-test`` looks into the only folder with tests of a release."""
    (command,) = [
        line for line in make("--dry-run", "release-test").splitlines() if "-m" in line
    ]
    marked = {
        path.parent.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "tests").rglob("*.py")
        if MARK.search(path.read_text("utf-8"))
    }

    assert {command.split()[-1]} == marked


def test_targets_that_are_named():
    """A target that a page, a template or a workflow names is one of the Makefile's."""
    files = [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("*/*.md"),
        *(PROJECT / "docs").rglob("*.md"),
        *(PROJECT / ".github").rglob("*.*"),
        PROJECT / ".ci/run",
    ]
    command = re.compile(
        r"(?:^\$ |`|run: |^)make ((?:--silent )?[a-z0-9-]+)(?![/a-z0-9-])", re.MULTILINE
    )

    named = {
        target.removeprefix("--silent ")
        for file in files
        if "CHANGELOG" not in file.name
        for target in command.findall(file.read_text("utf-8"))
    }

    assert len(named) > 10
    assert named - set(TARGETS) == set()
