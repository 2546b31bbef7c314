"""The zipapp's bytecode in one file, where it was unpacked for good."""

import marshal
import os
import re
import shutil
import subprocess
import sys
import venv
from ast import literal_eval
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from lambda_adapter.code_file import HEAD, path_in
from tests.adapter import PUPPET, open_adapter
from tests.catalogue import http_api
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import FakeRuntimeApi

pytestmark = pytest.mark.e2e

APP = """
import inspect, pkgutil, sys

import outcome
import sortedcontainers
import trio

async def app(scope, receive, send):
    if scope["type"] == "http":
        body = repr((
            type(trio._core._run.__spec__.loader).__name__,
            outcome.__file__,
            sortedcontainers.SortedDict.__module__,
            len([*pkgutil.iter_modules(trio.__path__)]) > 20,
            inspect.getsource(trio.run).splitlines()[0],
        )).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
"""
"""Says where packages are from, and looks into one."""

WSGI_APP = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose Python has no packages, as that of an image has none of ours."""
    bare = tmp_path / "bare"
    venv.create(bare)
    return f"{bare / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def root(tmp_path: Path, path: str) -> Path:
    """Where the zipapp is unpacked for good."""
    root = tmp_path / "root"
    environ = {"PATH": path, "SHIV_ROOT": str(root)}
    subprocess.run([BOOTSTRAP, "--version"], env=environ, check=True)
    return root


def code_file(root: Path) -> Path:
    """Return the file, which there is one of."""
    (site_packages,) = root.glob("*/site-packages")
    return Path(path_in(str(site_packages)))


def modules(
    root: Path, *, in_process: bool = False
) -> Iterator[tuple[str, list[Path]]]:
    """Yield the name of each of the zipapp's modules in it, its source and its pyc."""
    data = code_file(root).read_bytes()
    _, version, *sizes = marshal.loads(data[:HEAD])
    assert version == sys.version
    ends = [HEAD, HEAD + sizes[0], HEAD + sum(sizes), None]
    ours, (library, _), besides = [
        marshal.loads(data[start:end]) for start, end in pairwise(ends)
    ]
    assert {"threading", "collections"} <= library.keys()
    for name, (source, cached, _, _) in (
        ours | besides if in_process else ours
    ).items():
        site_packages = code_file(root).parents[1]
        yield name, [site_packages / source, site_packages / cached]


def keep_only_the_file(root: Path, *, in_process: bool) -> set[str]:
    """Remove each module that is in the file, and return their names."""
    found = dict(modules(root, in_process=in_process))
    first = {
        "lambda_adapter",
        "lambda_adapter.code_file",
        "lambda_adapter.code_entries",
    }
    for name in found.keys() - first:
        for path in found[name]:
            path.unlink()
    return {*found}


async def test_a_start_reads_no_other_code(root: Path, runtime: FakeRuntimeApi):
    """A start takes from the file what it has, and no module's own file is needed."""
    found = keep_only_the_file(root, in_process=False)
    assert {"lambda_adapter.cli", "lambda_adapter.serve.supervisor"} <= found
    assert {"trio._core._run", "msgspec"} <= found

    async with open_adapter(
        runtime.address, PUPPET, adapter=[str(BOOTSTRAP)], SHIV_ROOT=str(root)
    ):
        posted = await runtime.invoke({"an": "event"})

    assert posted.json() == {"an": "event"}


def test_a_start_compiles_no_regular_expression(root: Path):
    """Regular expressions are in the file, and none is compiled at a start."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from lambda_adapter import code_file, cli; code_file.use(sys.argv[1]);"
        "import re; re._compiler = None; cli.import_serve();"
        "from lambda_adapter.events import body; print(body._CHARSET.flags)"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", program, code_file(root).parents[1]],
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("damage", ["missing", "cut short", "another Python"])
async def test_otherwise_each_module_is_imported(
    root: Path, runtime: FakeRuntimeApi, damage: str
):
    """Where the file does not fit, a start is as without it, and a line says so."""
    path = code_file(root)
    data = path.read_bytes()
    path.unlink()
    if damage == "cut short":
        path.write_bytes(data[:1000])
    elif damage == "another Python":
        _, *rest = marshal.loads(data)
        head = marshal.dumps((b"1234", *rest)).ljust(HEAD, b"\0")
        path.write_bytes(head + data[HEAD:])

    async with open_adapter(
        runtime.address,
        PUPPET,
        adapter=[str(BOOTSTRAP)],
        SHIV_ROOT=str(root),
        AWS_LAMBDA_LOG_LEVEL="DEBUG",
    ) as adapter:
        posted = await runtime.invoke({"an": "event"})
        log = await adapter.wait_log("each module is imported from its own file")

    assert posted.json() == {"an": "event"}
    assert "DEBUG each module is imported from its own file" in log


@pytest.mark.parametrize(("kind", "source"), [("asgi", APP), ("wsgi", WSGI_APP)])
async def test_in_process_a_start_reads_no_other_code(
    root: Path, path: str, runtime: FakeRuntimeApi, kind: str, source: str
):
    """With the application in this process, the adapter's code is from the file too."""
    found = keep_only_the_file(root, in_process=True)
    assert {f"lambda_adapter.app.in_process.{kind}.app", "trio._core._run"} <= found
    (root / "app.py").write_text(
        source.replace("inspect.getsource(trio.run)", "'def run'")
    )

    async with open_adapter(
        runtime.address,
        ["--app-dir", str(root), f"--{kind}", "app:app"],
        adapter=[str(BOOTSTRAP)],
        SHIV_ROOT=str(root),
        PATH=path,
    ):
        posted = await runtime.invoke(http_api("GET", "/"))

    assert posted.json()["statusCode"] == 200, posted.json()


async def test_the_packages_of_an_application_come_first(
    root: Path, path: str, runtime: FakeRuntimeApi
):
    """Where an application has a package of its own, the file's is not imported."""
    site_packages = code_file(root).parents[1]
    own = root / "own"
    shutil.copytree(site_packages / "outcome", own / "outcome")
    (own / "app.py").write_text(APP)

    async with open_adapter(
        runtime.address,
        ["--asgi", "app:app"],
        adapter=[str(BOOTSTRAP)],
        SHIV_ROOT=str(root),
        PYTHONPATH=str(own),
        PATH=path,
    ):
        posted = await runtime.invoke(http_api("GET", "/"))

    loader, outcome, container, lists, source = literal_eval(str(posted.json()["body"]))
    assert loader == "CodeLoader"
    assert outcome == str(own / "outcome" / "__init__.py")
    assert container == "sortedcontainers.sorteddict"
    assert lists
    assert source.startswith("def run(")


def test_a_traceback_has_files_and_lines(root: Path):
    """A traceback names the source of each function, and shows its line."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lambda_adapter import code_file; code_file.use(sys.argv[1])\n"
        "from lambda_adapter import setting_parsers as parsers\n"
        "print(parsers.__spec__.loader)\n"
        "parsers.port('none')\n"
    )
    site_packages = str(code_file(root).parents[1])
    done = subprocess.run(
        [sys.executable, "-IS", "-c", program, site_packages],
        capture_output=True,
        text=True,
    )

    assert "CodeFile" in done.stdout
    assert re.search(
        rf'File "{site_packages}/lambda_adapter/setting_parsers\.py", line \d+,'
        r" in parse\n"
        r"    raise ValueError\(",
        done.stderr,
    )
