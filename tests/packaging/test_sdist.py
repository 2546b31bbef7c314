"""The sdist: the repository without its history."""

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
        # "data" is the default from Python 3.14 on, and came with 3.11.4.
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(directory)
    return directory / file.name.removesuffix(".tar.gz")


@pytest.mark.skipif(
    not (PROJECT / ".git").exists(), reason="git knows which files there are"
)
def test_its_files(sdist: Path):
    """An sdist has the files of the repository, and what the index reads, alone.

    What its tests import is among them, and what ``make test`` needs.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    packed = {
        path.relative_to(sdist).as_posix()
        for path in sdist.rglob("*")
        if path.is_file()
    }
    assert packed == {*files, "PKG-INFO"}


def test_links_of_its_readme(sdist: Path):
    """No link on a package index's page is relative: it would lead nowhere there."""
    page = (sdist / "PKG-INFO").read_text("utf-8").partition("\n\n")[2]
    targets = re.findall(r"\]\(([^)]*)\)", page)

    assert "Apache-2.0 (LICENSE)" in page
    assert targets
    assert [each for each in targets if not each.startswith("https://")] == []
