"""The sdist: the repository without its history."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.emulator import PROJECT


def test_its_tests_can_be_collected(tmp_path: Path):
    """An sdist holds what its own tests import, and ``make test`` needs."""
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "build", "--sdist", "--offline", "--quiet"),
            *("--no-build-isolation", "--out-dir", tmp_path),
        ],
        cwd=PROJECT,
        check=True,
    )
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / sdist.name.removesuffix(".tar.gz")

    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-m", ""],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert collected.returncode == 0, collected.stdout
    for file in "tests/bench/test_bench.py", "tests/images/test_examples.py":
        assert f"{file}::" in collected.stdout
    for name in "Makefile", "uv.lock", "packaging/onefile.c", "examples/flask/app.py":
        assert (root / name).is_file()
