"""dist/bootstrap: what is in it, and that it runs wherever it is put."""

import filecmp
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from lambda_adapter import __version__
from tests.adapter import PUPPET, open_adapter
from tests.e2e.conftest import SHIV_ROOT
from tests.e2e.test_faults import FINE
from tests.emulator import BOOTSTRAP, PROJECT, open_emulator
from tests.fake_runtime_api import FakeRuntimeApi
from tests.ports import free_ports

MIRROR = PROJECT / "tests/programs/mirror.py"
NEEDED = {
    *("lambda_adapter", "trio", "msgspec"),
    *("attrs", "idna", "outcome", "sniffio", "sortedcontainers"),
}


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment of PATH, TMPDIR and ``env``."""
    environ = {"PATH": os.environ["PATH"], "TMPDIR": SHIV_ROOT["TMPDIR"], **env}
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def test_it_holds_what_is_needed_and_nothing_else():
    """The zipapp holds the runtime dependencies, with their licences."""
    names = zipfile.ZipFile(BOOTSTRAP).namelist()

    infos = [re.match(r"site-packages/(\w+)-[^/]+\.dist-info/", name) for name in names]
    assert {info[1] for info in infos if info} == NEEDED
    for package in NEEDED:
        licence = rf"site-packages/{package}-.*\.dist-info/.*(LICEN[CS]E|COPYING)"
        assert any(re.match(licence, name) for name in names), package


def test_it_holds_the_extensions_of_every_target():
    """The zipapp holds the extensions for each CPython on each platform."""
    names = zipfile.ZipFile(BOOTSTRAP).namelist()

    versions = ("311", "312", "313", "314", "315")
    machines = ("x86_64", "aarch64")
    for version, machine in itertools.product(versions, machines):
        suffix = f".cpython-{version}-{machine}-linux-gnu.so"
        found = [Path(name).name for name in names if name.endswith(suffix)]
        assert "_core" + suffix in found


def test_it_is_reproducible(tmp_path: Path):
    """The zipapp, built again, is the same file."""
    again = tmp_path / "bootstrap"

    subprocess.run(
        [sys.executable, PROJECT / "packaging/build_zipapp.py", again], check=True
    )

    assert filecmp.cmp(again, BOOTSTRAP, shallow=False)


def test_off_lambda_it_becomes_the_application_and_unpacks_nothing(tmp_path: Path):
    """Off Lambda, the zipapp becomes the application and writes no file."""
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


def test_it_holds_no_local_lambda():
    """The zipapp does not contain `local`, and one line says so."""
    names = zipfile.ZipFile(BOOTSTRAP).namelist()

    done = run(BOOTSTRAP, "local", "--", "true")

    assert [name for name in names if "/local" in name] == []
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert done.stderr.startswith("lambda-adapter: `local` is not in this installation")


def test_asking_for_its_version_unpacks_it(tmp_path: Path):
    """``--version`` unpacks the zipapp, and compiles it for good."""
    done = run(BOOTSTRAP, "--version", SHIV_ROOT=str(tmp_path))

    assert done.stdout == f"lambda-adapter {__version__}\n"
    assert done.stderr == ""
    pycs = list(tmp_path.rglob("lambda_adapter/**/*.pyc"))
    assert len(pycs) == len(list(tmp_path.rglob("lambda_adapter/**/*.py")))
    # PEP 552: these flags say that the pyc is not checked, not even by a hash.
    assert {pyc.read_bytes()[4:8] for pyc in pycs} == {b"\x01\0\0\0"}


NO_UMASK = ["sh", "-c", 'umask 0; exec "$0" "$@"', str(BOOTSTRAP)]


def writable_by_others(root: Path) -> list[Path]:
    """Return the files under a root, itself included, that others can change."""
    paths = [root, *root.rglob("*")]
    assert len(paths) > 100
    return [path for path in paths if path.stat().st_mode & 0o022]


def test_others_can_not_change_what_it_unpacks_for_good(tmp_path: Path):
    """Files that are unpacked without a umask are writable by their user alone."""
    run(*NO_UMASK, "--version", SHIV_ROOT=str(tmp_path / "root"))
    for pyc in tmp_path.rglob("trio/__pycache__"):
        shutil.rmtree(pyc)
    run(*NO_UMASK, "--version", SHIV_ROOT=str(tmp_path / "root"))

    assert list(tmp_path.rglob("trio/__pycache__"))
    assert writable_by_others(tmp_path / "root") == []


@pytest.mark.parametrize("writable", [True, False], ids=["for good", "for now"])
async def test_others_can_not_change_what_it_unpacks(
    tmp_path: Path, under_tmp: Path, runtime: FakeRuntimeApi, writable: bool
):
    """Without a umask, what a start unpacks and compiles is writable by its user alone.

    The application's umask stays what it was.
    """
    root = tmp_path / "root" if writable else Path("/proc/nowhere")
    command = ["sh", "-c", 'umask >&2; exec "$@"', "sh", *PUPPET]
    async with open_adapter(
        runtime.address,
        command,
        adapter=NO_UMASK,
        SHIV_ROOT=str(root),
        TMPDIR=str(under_tmp.parent),
    ) as adapter:
        await runtime.invoke({"an": "event"})
        log = await adapter.wait_log("0000\n")

    assert "0000" in log.splitlines()
    assert writable_by_others(root if writable else under_tmp) == []


@pytest.mark.parametrize("unpacked", [True, False], ids=["unpacked", "packed"])
async def test_the_applications_pythonpath_is_not_its_own(
    tmp_path: Path, unpacked: bool
):
    """Planted modules shadow neither its dependencies nor the standard library."""
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("trio", "msgspec", "logging", "ssl", "ctypes", "attr"):
        (planted / f"{name}.py").write_text("raise SystemExit('hijacked')\n")
    (port,) = free_ports(1)

    async with open_emulator(
        [BOOTSTRAP, sys.executable, MIRROR, str(port)],
        env={
            "PORT": str(port),
            "PYTHONPATH": str(planted),
            **SHIV_ROOT,
            **({} if unpacked else {"SHIV_ROOT": str(tmp_path / "root")}),
        },
        log_path=tmp_path / "log",
    ) as emulator:
        reply = json.loads(await emulator.invoke(FINE))
        log = emulator.log()

    assert reply["statusCode"] == 200
    assert "hijacked" not in log


@pytest.mark.parametrize("is_there", [True, False], ids=["its own", "no such TMPDIR"])
async def test_where_its_root_is_not_writable_it_unpacks_under_tmp(
    tmp_path: Path, under_tmp: Path, is_there: bool
):
    """A zipapp that can't write to its root unpacks under TMPDIR, and says so.

    Where there is no such directory, it takes a new one in /tmp.
    """
    directory = under_tmp.parent if is_there else tmp_path / "nowhere"
    (port,) = free_ports(1)

    async with open_emulator(
        [BOOTSTRAP, sys.executable, MIRROR, str(port)],
        env={
            "PORT": str(port),
            "SHIV_ROOT": "/proc/nowhere",
            "TMPDIR": str(directory),
        },
        log_path=tmp_path / "log",
    ) as emulator:
        reply = json.loads(await emulator.invoke(FINE))
        lines = [line for line in emulator.log().splitlines() if "unpacked" in line]

    (line,) = lines
    found = re.search("/proc/nowhere cannot be written; unpacked under ([^ ]+) ", line)
    assert found
    root = Path(found[1])
    assert reply["statusCode"] == 200
    assert (root == under_tmp) == is_there
    assert os.listdir(root)
    assert os.stat(root).st_mode & 0o777 == 0o700
    if not is_there:
        shutil.rmtree(root)
    assert "nowhere" not in os.listdir(tmp_path)


ODD = {
    "spring.profiles.active": "dev",
    "my-var": "1",
    "ConnectionStrings:Default": "x=y",
    "é ": "two\nlines ",
    "BASH_FUNC_f%%": "() { :; }",
    "bytes": "\udcff\udcfe",
    "EMPTY": "",
    "IFS": ":",
    "OPTIND": "5",
    "OLDPWD": "/nowhere",
    "SHLVL": "7",
}
"""Variables that shells drop, or set to something else."""

SHELLS = [["dash"], ["busybox", "sh"], ["bash"]]


@pytest.mark.parametrize("where", ["on Lambda", "off Lambda", "packed"])
@pytest.mark.parametrize("shell", SHELLS, ids=["dash", "busybox", "bash"])
async def test_the_environment_is_as_it_was_given(
    tmp_path: Path, runtime: FakeRuntimeApi, shell: list[str], where: str
):
    """Every variable reaches the application as it was given, by whichever shell.

    What the shell sets by itself does not reach it.
    """
    if not shutil.which(shell[0]) and not os.environ.get("CI"):
        pytest.skip(f"{shell[0]} is not installed")
    root = str(tmp_path / "root") if where == "packed" else SHIV_ROOT["SHIV_ROOT"]
    env = {"PATH": os.environ["PATH"], **SHIV_ROOT, "SHIV_ROOT": root, **ODD}
    if where == "on Lambda":
        env["AWS_LAMBDA_RUNTIME_API"] = runtime.address
    kept = tmp_path / "environ"
    copies = ["cat", "/proc/self/environ"]

    with kept.open("wb") as file:
        process = await trio.lowlevel.open_process(
            [*shell, str(BOOTSTRAP), *copies], env=env, stdout=file
        )
        await process.wait()

    variables = dict(
        os.fsdecode(each).split("=", 1) for each in kept.read_bytes().split(b"\0")[:-1]
    )
    assert variables == env


def test_an_environment_too_large_to_be_restored():
    """An environment of 100 KB starts the application; a line says what may lack."""
    env = {f"VARIABLE_{number}": "x" * 1000 for number in range(100)}

    done = run(BOOTSTRAP, "sh", "-c", "echo ${#VARIABLE_99}", **env, **SHIV_ROOT)

    assert done.stdout == "1000\n"
    assert "larger than 43 KB" in done.stderr
    assert done.stderr.count("\n") == 1


HIJACKED = "import os; os.write(2, b'hijacked\\n'); os._exit(9)\n"
"""What no module that is planted may do, since nobody imports it."""


@pytest.mark.parametrize("unpacked", [True, False], ids=["unpacked", "packed"])
def test_its_python_takes_nothing_from_around_it(tmp_path: Path, unpacked: bool):
    """The zipapp imports nothing of the working directory or its Python's packages.

    Its Python, by itself, imports both.
    """
    version = "python{}.{}".format(*sys.version_info)
    site_packages = tmp_path / "venv/lib" / version / "site-packages"
    python = tmp_path / "venv/bin/python3"
    here = tmp_path / "here"
    for directory in (site_packages, python.parent, here):
        directory.mkdir(parents=True)
    real = Path(os.path.realpath(sys.executable))
    python.symlink_to(real)
    (tmp_path / "venv/pyvenv.cfg").write_text(f"home = {real.parent}\n")
    root = SHIV_ROOT["SHIV_ROOT"] if unpacked else str(tmp_path / "root")
    path = f"{python.parent}:{os.environ['PATH']}"
    env = {"PATH": path, **SHIV_ROOT, "SHIV_ROOT": root}
    run(BOOTSTRAP, "--version", **SHIV_ROOT)

    for planted in (site_packages / "planted.pth", here / "__future__.py"):
        planted.write_text(HIJACKED)
        command = (python, "-c", "from __future__ import annotations")
        bare = subprocess.run(command, cwd=here, env=env)
        done = subprocess.run(
            [BOOTSTRAP, "echo", "fine"], cwd=here, env=env, capture_output=True
        )
        planted.unlink()

        assert bare.returncode == 9
        assert (done.stdout, done.stderr) == (b"fine\n", b"")


@pytest.fixture
def under_tmp(tmp_path: Path) -> Path:
    """Where it unpacks itself if need be, given this TMPDIR, with nothing there."""
    (tmp_path / "tmp").mkdir()
    return tmp_path / f"tmp/lambda-adapter-{os.getuid()}"


def plant(root: Path) -> None:
    """Lay out what it would unpack under a root, as somebody else would."""
    about = json.loads(zipfile.ZipFile(BOOTSTRAP).read("environment.json"))
    for package in ("lambda_adapter", "trio"):
        path = root / f"bootstrap_{about['build_id']}" / "site-packages" / package
        path.mkdir(parents=True)
        (path / "__init__.py").write_text(HIJACKED)
    root.chmod(0o700)


def plant_link(root: Path) -> None:
    linked = root.parent.with_name("linked")
    plant(linked)
    root.symlink_to(linked)


def plant_of_another(root: Path) -> None:
    if os.getuid():
        pytest.skip("it takes root to give a directory away")
    plant(root)
    os.chown(root, 65_534, 65_534)


def plant_for_the_group(root: Path) -> None:
    plant(root)
    root.chmod(0o770)


def plant_for_everybody(root: Path) -> None:
    plant(root)
    root.chmod(0o707)


@pytest.mark.parametrize(
    "planting",
    [plant_link, plant_of_another, plant_for_the_group, plant_for_everybody],
)
async def test_what_others_can_fill_it_does_not_run(
    under_tmp: Path,
    runtime: FakeRuntimeApi,
    planting: Callable[[Path], None],
):
    """Under TMPDIR, it runs only its own files, or unpacks into a new directory."""
    planting(under_tmp)

    async with open_adapter(
        runtime.address,
        adapter=[str(BOOTSTRAP)],
        SHIV_ROOT="/proc/nowhere",
        TMPDIR=str(under_tmp.parent),
    ) as adapter:
        posted = await runtime.invoke({"an": "event"})
        log = await adapter.wait_log("unpacked under ")

    assert posted.json() == {"an": "event"}
    assert "hijacked" not in log
    (taken,) = {*under_tmp.parent.iterdir()} - {under_tmp}
    assert f"unpacked under {taken} " in log


def test_what_only_it_can_fill_it_runs(under_tmp: Path):
    """Files that were unpacked under TMPDIR are used by the next start."""
    plant(under_tmp)

    done = run(
        *(BOOTSTRAP, "true"), SHIV_ROOT="/proc/nowhere", TMPDIR=str(under_tmp.parent)
    )

    assert (done.returncode, done.stderr) == (9, "hijacked\n")


@pytest.mark.parametrize("kind", ["symlink", "copy"])
def test_it_may_be_called_anything(tmp_path: Path, kind: str):
    """The zipapp works behind a link or renamed, from the same unpacked files."""
    other = tmp_path / "lambda-adapter"
    if kind == "symlink":
        other.symlink_to(BOOTSTRAP)
    else:
        shutil.copy(BOOTSTRAP, other)

    done = run(other, "--version", **SHIV_ROOT)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(Path(SHIV_ROOT["SHIV_ROOT"]).glob("bootstrap_*"))) >= 1


def test_without_python_it_says_so(tmp_path: Path):
    """Without a Python, a line says so, and the status is a missing command's."""
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
