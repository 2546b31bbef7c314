"""Fetch a framework's sources, and make an environment for its tests."""

import re
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.frameworks.suites import REQUIREMENTS, Suite

CACHE = Path(__file__).parent.parent.parent / ".cache" / "frameworks"


def version_of(suite: Suite) -> str:
    """Return the version that is tested."""
    requirements = (REQUIREMENTS / f"{suite.name}.txt").read_text()
    (version,) = re.findall(rf"^{suite.name}==(.+)$", requirements, re.MULTILINE)
    return str(version)


def python_of(suite: Suite) -> Path:
    """Return the environment's Python."""
    return CACHE / f"{suite.name}-{version_of(suite)}-venv" / "bin" / "python"


def fetch(suite: Suite) -> Path:
    """Return the folder of the sources, once there is an environment as well."""
    version = version_of(suite)
    folder = CACHE / f"{suite.name}-{version}"
    if not folder.exists():
        uv = (sys.executable, "-m", "uv", "--quiet")
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        python = python_of(suite)
        subprocess.run([*uv, "venv", "--clear", python.parent.parent], check=True)
        file = REQUIREMENTS / f"{suite.name}.txt"
        install = ("pip", "install", "--python", python, "--requirement", file)
        subprocess.run([*uv, *install], check=True)
        source = ("--no-deps", "--no-binary", suite.name, f"{suite.name}=={version}")
        subprocess.run([*pip, "download", "--dest", CACHE, *source], check=True)
        with tarfile.open(CACHE / f"{suite.name}-{version}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder
