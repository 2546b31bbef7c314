"""Which of two adapters serves."""

import os
import subprocess
import sys

from lambda_adapter.claim import claim

CLAIM = (
    "import sys; from lambda_adapter.claim import claim;"
    "print(claim(sys.argv[1]), flush=True); sys.stdin.read()"
)


def claimant(directory) -> subprocess.Popen[str]:
    """Start a process that claims, and holds on until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_first_has_it_until_it_ends(tmp_path):
    """A second adapter is refused until the first one ends, and no file tells of it."""
    with claimant(tmp_path) as first:
        assert first.stdout
        assert first.stdout.readline() == "True\n"
        assert not claim(str(tmp_path))

    with claimant(tmp_path) as second:
        assert second.stdout
        assert second.stdout.readline() == "True\n"

    assert list(tmp_path.iterdir()) == []


def test_refused_claim_leaves_nothing_open(tmp_path):
    """A claim that is refused, however often, keeps no descriptor open."""
    with claimant(tmp_path) as first:
        assert first.stdout
        first.stdout.readline()
        before = os.listdir("/proc/self/fd")

        assert not any(claim(str(tmp_path)) for _ in range(3))

        assert os.listdir("/proc/self/fd") == before


def test_without_extensions_there_is_no_other(tmp_path):
    """Every adapter may serve where the directory of extensions is missing."""
    assert claim(str(tmp_path / "none"))
    assert claim(str(tmp_path / "none"))
