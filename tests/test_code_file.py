"""The zipapp's bytecode in one file, where it was unpacked for good."""

import marshal
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_adapter.code_file import path_in
from tests.adapter import PUPPET, open_adapter
from tests.catalogue import http_api
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import FakeRuntimeApi

pytestmark = pytest.mark.e2e

APP = """
import sys

async def app(scope, receive, send):
    if scope["type"] == "http":
        loaders = {type(vars(each)["__spec__"].loader).__name__
                   for name, each in sys.modules.items()
                   if name.partition(".")[0] in {"trio", "msgspec", "lambda_adapter"}
                   and vars(each).get("__spec__")}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = repr("CodeFile" in loaders).encode()
        await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the zipapp is unpacked for good."""
    root = tmp_path / "root"
    environ = {"PATH": os.environ["PATH"], "SHIV_ROOT": str(root)}
    subprocess.run([BOOTSTRAP, "--version"], env=environ, check=True)
    return root


def code_file(root: Path) -> Path:
    """Return the file, which there is one of."""
    (site_packages,) = root.glob("*/site-packages")
    return Path(path_in(str(site_packages)))


def modules(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield the name of each of the zipapp's modules in it, its source and its pyc."""
    _, version, ours, library = marshal.loads(code_file(root).read_bytes())
    assert version == sys.version
    assert {"threading", "collections"} <= library.keys()
    for name, (source, cached, _, _) in ours.items():
        site_packages = code_file(root).parents[1]
        yield name, [site_packages / source, site_packages / cached]


async def test_a_start_reads_no_other_code(root: Path, runtime: FakeRuntimeApi):
    """A start takes from the file what it has, and no module's own file is needed."""
    found = dict(modules(root))
    assert {"lambda_adapter.cli", "lambda_adapter.serve.supervisor"} <= found.keys()
    assert {"trio._core._run", "msgspec"} <= found.keys()
    first = {"lambda_adapter", "lambda_adapter.code_file"}
    for name in found.keys() - first:
        for path in found[name]:
            path.unlink()

    async with open_adapter(
        runtime.address, PUPPET, adapter=[str(BOOTSTRAP)], SHIV_ROOT=str(root)
    ):
        posted = await runtime.invoke({"an": "event"})

    assert posted.json() == {"an": "event"}


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
        path.write_bytes(marshal.dumps((b"1234", *rest)))

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


async def test_not_beside_an_application(root: Path, runtime: FakeRuntimeApi):
    """An application in this process meets modules that have their own file."""
    (root / "app.py").write_text(APP)

    async with open_adapter(
        runtime.address,
        ["--app-dir", str(root), "--asgi", "app:app"],
        adapter=[sys.executable, str(BOOTSTRAP)],
        SHIV_ROOT=str(root),
    ):
        posted = await runtime.invoke(http_api("GET", "/"))

    assert posted.json()["body"] == "False"


def test_a_traceback_has_files_and_lines(root: Path):
    """A traceback names the source of each function, and shows its line."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lambda_adapter import code_file; code_file.use(sys.argv[1])\n"
        "from lambda_adapter import parsers; print(parsers.__spec__.loader)\n"
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
        rf'File "{site_packages}/lambda_adapter/parsers\.py", line \d+, in parse\n'
        r"    raise ValueError\(",
        done.stderr,
    )
