"""The sdist: the repository without its history."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.emulator import PROJECT


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    directory = tmp_path_factory.mktemp("sdist")
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "build", "--sdist", "--offline", "--quiet"),
            *("--no-build-isolation", "--out-dir", directory),
        ],
        cwd=PROJECT,
        check=True,
    )
    (file,) = directory.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(directory, filter="data")
    return directory / file.name.removesuffix(".tar.gz")


def test_its_tests_can_be_collected(sdist: Path):
    """An sdist holds what its own tests import, and ``make test`` needs."""
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-m", ""],
        cwd=sdist,
        env={**os.environ, "PYTHONPATH": str(sdist / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert collected.returncode == 0, collected.stdout
    for file in "tests/bench/test_bench.py", "tests/images/test_examples.py":
        assert f"{file}::" in collected.stdout
    for name in "Makefile", "uv.lock", "packaging/onefile.c", "examples/flask/app.py":
        assert (sdist / name).is_file()


def test_links_of_its_readme(sdist: Path):
    """No link on a package index's page is relative: it would lead nowhere there."""
    page = (sdist / "PKG-INFO").read_text("utf-8").partition("\n\n")[2]
    targets = re.findall(r"\]\(([^)]*)\)", page)

    assert "Flask (examples/flask)" in page
    assert "docs/images.md has more" in page
    assert targets
    assert [each for each in targets if not each.startswith("https://")] == []
