"""packaging/expand_trio.py: trio's core without attrs is trio's core."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.emulator import BOOTSTRAP, PROJECT

INSTALLED = Path(pytest.__file__).parent.parent
PACKAGES = (
    *("attr", "attrs", "idna", "msgspec", "outcome", "sniffio", "sortedcontainers"),
    "trio",
)
TESTS_TIMEOUT = 300
"""Seconds for trio's own tests, which take 20 on a machine that does nothing else."""

DESCRIBE = """
import inspect, json, sys
sys.path.insert(0, sys.argv[1])
import trio, outcome, trio._deprecate
GENERATED = {"__attrs_attrs__", "__attrs_own_setattr__", "__attrs_props__", "__ne__",
             "__annotations__", "__attrs_base_of_slotted__", "__firstlineno__",
             "__doc__"}
def describe(cls):
    return {
        "names": sorted(set(vars(cls)) - GENERATED),
        "init": [
            (each.name, each.kind.name, repr(each.default).partition(" at 0x")[0])
            for each in inspect.signature(cls.__init__).parameters.values()
        ],
        "slots": vars(cls).get("__slots__"),
        "match": cls.__match_args__,
        "hashable": cls.__hash__ is not None,
        "bases": [each.__name__ for each in cls.__mro__],
        "metaclass": type(cls).__name__,
    }
print(json.dumps({
    f"{module.__name__}.{cls.__qualname__}": describe(cls)
    for name, module in sorted(sys.modules.items())
    if name.startswith(("trio._core", "trio._sync", "trio._deprecate", "outcome"))
    for _, cls in sorted(vars(module).items())
    if isinstance(cls, type) and cls.__module__.split(".")[0] in {"trio", "outcome"}
    and "__match_args__" in vars(cls)
}))
"""


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed packages, expanded, with trio's own tests."""
    return expand(tmp_path_factory.mktemp("expanded"))


def expand(directory: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            INSTALLED / package,
            directory / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    program = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]);"
        "import expand_trio; expand_trio.expand(pathlib.Path(sys.argv[2]))"
    )
    subprocess.run(
        [sys.executable, "-c", program, PROJECT / "packaging", directory], check=True
    )
    return directory


def run(site: Path, *command: str, **env: str) -> str:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), **env}
    # A shell's background job ignores SIGINT, and some of trio's own tests wait for it.
    heeds = ("env", "--default-signal=INT")
    done = subprocess.run(
        [*heeds, sys.executable, *command], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def test_classes_are_those_that_attrs_makes(expanded: Path):
    """Each class has the names, slots, bases and signature that attrs gives it."""
    theirs = json.loads(run(INSTALLED, "-c", DESCRIBE, str(INSTALLED)))
    ours = json.loads(run(expanded, "-c", DESCRIBE, str(expanded)))

    assert len(theirs) > 35
    for name, description in theirs.items():
        assert ours[name] == description
    assert ours.keys() == theirs.keys()


def test_values_behave_as_those_of_attrs(expanded: Path):
    """Values of either are printed, compared, hashed, pickled and refused alike."""
    program = """
import pickle, attr, outcome, trio
from trio._core._run import CancelReason
from trio._core._parking_lot import ParkingLotStatistics
value, error = outcome.Value(3), outcome.Error(KeyError(1))
print(value, error, value == outcome.Value(3), value < outcome.Value(4))
print(value == error, pickle.loads(pickle.dumps(value)), {value: 1}[outcome.Value(3)])
for change in (lambda: setattr(value, "value", 4), lambda: outcome.Error(3),
               lambda: delattr(value, "value"), lambda: value < 3):
    try:
        print(change())
    except Exception as failure:
        print(type(failure), failure.args[:1])
print(CancelReason("deadline"), CancelReason("a") == CancelReason("a"))
print(ParkingLotStatistics(3), trio.lowlevel.ParkingLot())
"""
    assert run(expanded, "-c", program) == run(INSTALLED, "-c", program)


def test_is_reproducible(expanded: Path, tmp_path: Path):
    """The same packages are expanded to the same files."""
    again = expand(tmp_path)

    files = {path.relative_to(again): path.read_bytes() for path in again.rglob("*.py")}
    assert len(files) > 50
    assert files == {name: (expanded / name).read_bytes() for name in files}


def test_needs_no_attrs(expanded: Path):
    """A program that runs trio's core imports neither attrs nor inspect."""
    program = """
import sys
from lambda_adapter.serve import lazy_trio
lazy_trio.import_trio()
import trio
trio.run(trio.sleep, 0)
print(sorted({"attr", "attrs", "inspect"} & set(sys.modules)))
"""
    site = f"{expanded}:{PROJECT / 'src'}"
    assert run(expanded, "-S", "-c", program, PYTHONPATH=site) == "[]\n"


def test_the_whole_of_msgspec(expanded: Path):
    """What msgspec does not import at a start is imported when it is asked for."""
    program = """
import sys, msgspec
late = {"msgspec.inspect", "msgspec.toml", "msgspec._json_schema"}
print(late & set(sys.modules))
from msgspec import inspect, msgpack
print(msgspec.json.schema(int), msgspec.toml, inspect.type_info(int), msgpack.Encoder)
try:
    msgspec.nothing
except AttributeError as error:
    print(error)
"""
    lines = run(expanded, "-c", program).splitlines()
    assert lines[0] == "set()"
    assert lines[1].startswith("{'type': 'integer'} <module 'msgspec.toml'")
    assert lines[2] == "module 'msgspec' has no attribute 'nothing'"


def test_the_whole_of_trio(expanded: Path):
    """Any other name of trio loads the whole package, with the real attrs."""
    program = """
import sys
from lambda_adapter.serve import lazy_trio
lazy_trio.import_trio()
import trio, attrs
async def main():
    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        address = listener.socket.getsockname()
        stream = await trio.open_tcp_stream(*address)
        await (await listener.accept()).send_all(b"fine")
        print(await stream.receive_some())
trio.run(main)
print("trio._dtls" in sys.modules, attrs.has(trio._dtls.Record))
"""
    site = f"{expanded}:{PROJECT / 'src'}"
    assert run(expanded, "-c", program, PYTHONPATH=site) == "b'fine'\nTrue True\n"


@pytest.mark.timeout(TESTS_TIMEOUT)
def test_trios_own_tests_pass(expanded: Path, tmp_path: Path):
    """Trio's own tests of its core pass on the expanded copy."""
    tests = expanded / "trio/_tests"
    names = ("deprecate", "repl", "signals", "sync", "threads", "timeouts", "util")
    said = run(
        expanded,
        *("-m", "pytest", "-q", "-c", "/dev/null", "-p", "trio._tests.pytest_plugin"),
        *("-p", "no:cacheprovider", "-p", "no:trio", "-p", "no:timeout"),
        *("--skip-optional-imports", f"--rootdir={tmp_path}"),
        str(expanded / "trio/_core/_tests"),
        *(str(tests / f"test_{name}.py") for name in names),
        HOME=str(tmp_path),
    )

    assert " passed" in said
    assert "failed" not in said.replace("xfailed", "")


def test_the_zipapp_has_it():
    """The trio in the zipapp is the expanded one."""
    with zipfile.ZipFile(BOOTSTRAP) as archive:
        source = archive.read("site-packages/trio/_core/_run.py").decode()

    assert "@attrs" not in source
    assert "class Runner" in source
