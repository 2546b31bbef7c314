"""The zipapp with an application of the image's Python in its process."""

import json
import os
import site
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.adapter import open_adapter
from tests.catalogue import KINDS
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import INIT_ERROR

PACKAGES = site.getsitepackages()[0]

WHERE = """
import sys, trio, msgspec, lambda_adapter

def app(environ, start_response):
    import json
    start_response("200 OK", [("content-type", "application/json")])
    found = [m.__file__ for m in (trio, msgspec, lambda_adapter)]
    return [json.dumps([sys.prefix, *found]).encode()]
"""

OLD = """
def __getattr__(name):
    raise AttributeError(f"module has no attribute {name!r}")
"""
"""A package that has nothing of what its later versions have."""


def write_old(directory: Path, project: str, *modules: str) -> None:
    """Write a package that is too old."""
    info = directory / f"{project}-0.1.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: 0.1\n"
    (info / "METADATA").write_text(metadata)
    for module in modules:
        (directory / f"{module}.py").write_text(OLD)


@pytest.fixture
def python(tmp_path) -> dict[str, Any]:
    """A virtual environment without packages, and the PATH on which it is first."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    return {"PATH": f"{tmp_path}/venv/bin:{os.environ['PATH']}"}


@pytest.fixture
def package(tmp_path):
    """A function's package, with an application that says where it was found."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package/where.py").write_text(WHERE)
    return tmp_path / "package"


async def where(runtime, command, **environ):
    """Return the prefix of Python, and where trio, msgspec and the adapter are."""
    async with open_adapter(
        runtime.address, command, adapter=[str(BOOTSTRAP)], **environ
    ) as adapter:
        posted = await runtime.invoke(KINDS["function_url"]())
        assert posted.kind == "response", adapter.log
    found = json.loads(str(posted.json()["body"]))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("unpacked", [True, False])
async def test_packages_of_the_application_come_first(
    runtime, package, python, tmp_path, unpacked
):
    """The application's packages precede the adapter's."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/msgspec").symlink_to(f"{PACKAGES}/msgspec")

    _, trio, msgspec, adapter = await where(
        runtime,
        ["--app-dir", str(package), "--wsgi", "where:app"],
        PYTHONPATH=str(tmp_path / "site"),
        **python,
        **(SHIV_ROOT | ({} if unpacked else {"SHIV_ROOT": str(tmp_path / "shiv")})),
    )

    root = SHIV_ROOT["SHIV_ROOT"] if unpacked else str(tmp_path / "shiv")
    assert msgspec.startswith(str(tmp_path / "site"))
    assert trio.startswith(root)
    assert adapter.startswith((root, str(BOOTSTRAP)))


async def test_virtual_environment(runtime, package, python, tmp_path):
    """The Python is the first on PATH: a virtual environment, with its packages."""
    (packages,) = (tmp_path / "venv/lib").glob("*/site-packages")
    (packages / "all.pth").write_text(PACKAGES)

    prefix, trio, _, adapter = await where(
        runtime,
        ["--wsgi", "where:app"],
        LAMBDA_TASK_ROOT=str(package),
        **python,
        **SHIV_ROOT,
    )

    assert prefix == str(tmp_path / "venv")
    assert trio.startswith(PACKAGES)
    assert adapter.startswith(SHIV_ROOT["SHIV_ROOT"])


async def test_wrapper_script(runtime, package, python):
    """In a managed runtime, the settings name the application, and no handler runs."""
    found = await where(
        runtime,
        ["/var/lang/bin/python3.13", "/var/runtime/bootstrap.py"],
        AWS_LAMBDA_EXEC_WRAPPER=str(BOOTSTRAP),
        AWS_LWA_WSGI_APP="where:app",
        LAMBDA_TASK_ROOT=str(package),
        _HANDLER="anything",
        **python,
        **SHIV_ROOT,
    )

    assert found[3].startswith(SHIV_ROOT["SHIV_ROOT"])


async def test_conflict(runtime, package, python: dict[str, Any], tmp_path):
    """A package that is too old is named, with the adapter's own version of it."""
    write_old(tmp_path / "old", "outcome", "outcome")

    async with open_adapter(
        runtime.address,
        ["--app-dir", str(package), "--wsgi", "where:app"],
        adapter=[str(BOOTSTRAP)],
        PYTHONPATH=str(tmp_path / "old"),
        **(python | SHIV_ROOT),
    ) as adapter:
        status = await adapter.wait()

    posted = await runtime.wait_posted(INIT_ERROR)
    message = str(posted.json()["errorMessage"])
    assert status == 64
    assert "outcome 0.1 (the adapter comes with " in message
    assert message in adapter.log


async def test_no_conflict_with_what_is_not_imported(
    runtime, package, python, tmp_path
):
    """An old attrs does not matter, since nothing of a start needs attrs."""
    write_old(tmp_path / "old", "attrs", "attr", "attrs")

    found = await where(
        runtime,
        ["--app-dir", str(package), "--wsgi", "where:app"],
        PYTHONPATH=str(tmp_path / "old"),
        **python,
        **SHIV_ROOT,
    )

    assert found[3].startswith(SHIV_ROOT["SHIV_ROOT"])


def test_outside_lambda(package, python):
    """Outside Lambda, the zipapp becomes the server that the image's Python has."""
    done = subprocess.run(
        [BOOTSTRAP, "--app-dir", str(package), "--asgi", "where:app"],
        env={**python, **SHIV_ROOT},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 64
    assert "pip install uvicorn" in done.stderr
