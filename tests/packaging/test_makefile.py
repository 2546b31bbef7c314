"""``make help``."""

import re
import subprocess

from tests.emulator import PROJECT


def test_help():
    """``make help`` has a line for each target that is a command."""
    text = (PROJECT / "Makefile").read_text()
    targets = " ".join(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)).split()

    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert all(word == "make" and about for word, _, about in lines)
    assert sorted(target for _, target, _ in lines) == sorted(targets)
