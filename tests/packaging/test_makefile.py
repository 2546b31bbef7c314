"""The Makefile's targets."""

import re
import subprocess

from tests.emulator import PROJECT

PHONY = re.findall(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
TARGETS = " ".join(PHONY).split()


def test_help():
    """``make help`` has a line for each target that is a command."""
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert all(word == "make" and about for word, _, about in lines)
    assert sorted(target for _, target, _ in lines) == sorted(TARGETS)


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
        r"(?:^\$ |`|run: |^)make ((?:--silent )?[a-z0-9-]+)", re.MULTILINE
    )

    named = {
        target.removeprefix("--silent ")
        for file in files
        if "CHANGELOG" not in file.name
        for target in command.findall(file.read_text("utf-8"))
    }

    assert len(named) > 10
    assert named - set(TARGETS) == set()
