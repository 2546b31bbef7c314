"""dist/bootstrap: what is in it, and that it runs wherever it is put."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambda_adapter import __version__
from tests.e2e.conftest import SHIV_ROOT
from tests.e2e.test_faults import FINE
from tests.emulator import BOOTSTRAP, PROJECT, free_ports, open_emulator

pytestmark = pytest.mark.e2e

MIRROR = PROJECT / "tests/apps/mirror.py"
NEEDED = {
    *("lambda_adapter", "trio", "msgspec", "httptools"),
    *("attrs", "idna", "outcome", "sniffio", "sortedcontainers"),
}


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment of PATH and ``env``."""
    environ = {"PATH": os.environ["PATH"], **env}
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def test_it_holds_what_is_needed_and_nothing_else():
    """The runtime dependencies are in it, with their licences."""
    names = zipfile.ZipFile(BOOTSTRAP).namelist()

    infos = [re.match(r"site-packages/(\w+)-[^/]+\.dist-info/", name) for name in names]
    assert {info[1] for info in infos if info} == NEEDED
    for package in NEEDED:
        licence = rf"site-packages/{package}-.*\.dist-info/.*(LICEN[CS]E|COPYING)"
        assert any(re.match(licence, name) for name in names), package


def test_it_holds_the_extensions_of_every_target():
    """Each CPython on each platform finds its own."""
    names = zipfile.ZipFile(BOOTSTRAP).namelist()

    versions = ("311", "312", "313", "314")
    machines = ("x86_64", "aarch64")
    for version, machine in itertools.product(versions, machines):
        suffix = f".cpython-{version}-{machine}-linux-gnu.so"
        found = [Path(name).name for name in names if name.endswith(suffix)]
        assert {"_core" + suffix, "parser" + suffix} <= set(found), suffix


def test_it_is_reproducible(tmp_path: Path):
    """Built again, it is the same file."""
    again = tmp_path / "bootstrap"

    subprocess.run(
        [sys.executable, PROJECT / "packaging/build_zipapp.py", again], check=True
    )

    assert again.read_bytes() == BOOTSTRAP.read_bytes()


def test_off_lambda_it_becomes_the_application_and_unpacks_nothing(tmp_path: Path):
    """Same process, same status, and not a file written."""
    root = tmp_path / "root"
    process = subprocess.Popen(
        [BOOTSTRAP, "sh", "-c", "echo $$; exit 7"],
        env={"PATH": os.environ["PATH"], "SHIV_ROOT": str(root)},
        stdout=subprocess.PIPE,
    )

    said, _ = process.communicate()

    assert int(said) == process.pid
    assert process.returncode == 7
    assert not root.exists()


def test_asking_for_its_version_unpacks_it(tmp_path: Path):
    """So that an image can do so once, with pycs that no rewritten time spoils."""
    done = run(BOOTSTRAP, "--version", SHIV_ROOT=str(tmp_path))

    assert done.stdout == f"lambda-adapter {__version__}\n"
    assert done.stderr == ""
    pycs = list(tmp_path.rglob("lambda_adapter/**/*.pyc"))
    assert len(pycs) == len(list(tmp_path.rglob("lambda_adapter/**/*.py")))
    # PEP 552: these flags say that the pyc is checked by the hash of its source.
    assert {pyc.read_bytes()[4:8] for pyc in pycs} == {b"\x03\0\0\0"}


@pytest.mark.parametrize("unpacked", [True, False], ids=["unpacked", "packed"])
async def test_the_applications_pythonpath_is_not_its_own(
    tmp_path: Path, unpacked: bool
):
    """Modules planted there shadow neither its dependencies nor the library."""
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("trio", "msgspec", "httptools", "logging", "ssl", "ctypes", "attr"):
        (planted / f"{name}.py").write_text("raise SystemExit('hijacked')\n")
    (port,) = free_ports(1)

    async with open_emulator(
        [BOOTSTRAP, sys.executable, MIRROR, str(port)],
        env={
            "PORT": str(port),
            "PYTHONPATH": str(planted),
            "SHIV_ROOT": SHIV_ROOT["SHIV_ROOT"] if unpacked else str(tmp_path / "root"),
        },
        log_path=tmp_path / "log",
    ) as emulator:
        reply = json.loads(await emulator.invoke(FINE))
        log = emulator.log()

    assert reply["statusCode"] == 200
    assert "hijacked" not in log


async def test_where_its_root_is_not_writable_it_unpacks_under_tmp(tmp_path: Path):
    """It says so in one line, HOME or no HOME, and serves."""
    shutil.rmtree(f"/tmp/lambda-adapter-{os.getuid()}", ignore_errors=True)
    (port,) = free_ports(1)

    async with open_emulator(
        [BOOTSTRAP, sys.executable, MIRROR, str(port)],
        env={"PORT": str(port), "SHIV_ROOT": "/proc/nowhere"},
        log_path=tmp_path / "log",
    ) as emulator:
        reply = json.loads(await emulator.invoke(FINE))
        lines = [line for line in emulator.log().splitlines() if "unpacked" in line]

    assert reply["statusCode"] == 200
    assert len(lines) == 1
    assert "/proc/nowhere cannot be written; unpacked under /tmp/" in lines[0]


@pytest.mark.parametrize("kind", ["symlink", "copy"])
def test_it_may_be_called_anything(tmp_path: Path, kind: str):
    """Behind a link or renamed, it is the same adapter and the same unpacked files."""
    other = tmp_path / "lambda-adapter"
    if kind == "symlink":
        other.symlink_to(BOOTSTRAP)
    else:
        shutil.copy(BOOTSTRAP, other)

    done = run(other, "--version", **SHIV_ROOT)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(Path(SHIV_ROOT["SHIV_ROOT"]).glob("bootstrap_*"))) >= 1


def test_without_python_it_says_so(tmp_path: Path):
    """One line, and the status of a command that is missing."""
    (tmp_path / "sh").symlink_to("/bin/sh")

    done = subprocess.run(
        [BOOTSTRAP, "true"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 127
    assert done.stderr.startswith("lambda-adapter: no python3 on PATH")
    assert done.stderr.count("\n") == 1
