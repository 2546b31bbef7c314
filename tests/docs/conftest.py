"""The documentation's site, for all tests that look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import PROJECT

REPOSITORY = "https://git.example/owner/adapter"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without a repository's address, built strictly: a warning fails it."""
    return build(tmp_path_factory.mktemp("site"), "")


@pytest.fixture(scope="session")
def published_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is published, with the address of ``REPOSITORY``."""
    return build(tmp_path_factory.mktemp("published"), REPOSITORY)


def build(directory: Path, repository: str) -> Path:
    """Build the site in a directory, and return that."""
    subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"),
            *("--config-file", PROJECT / "mkdocs.yml", "--site-dir", directory),
        ],
        env={
            "PATH": os.environ["PATH"],
            "NO_MKDOCS_2_WARNING": "1",
            "LAMBDA_ADAPTER_REPOSITORY": repository,
        },
        check=True,
    )
    return directory
