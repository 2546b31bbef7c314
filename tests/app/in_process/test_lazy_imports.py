"""``AWS_LWA_LAZY_IMPORTS``, where Python is new enough and where it is not."""

import shutil
import sys
from pathlib import Path

import pytest

from lambda_adapter.app.in_process.lazy_imports import choose_filter, refusal
from tests.adapter import open_adapter
from tests.catalogue import http_api
from tests.emulator import PROJECT
from tests.fake_runtime_api import FakeRuntimeApi

BOOTSTRAP = PROJECT / "dist/bootstrap"

IN_ADVANCE = "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency"

APP = """
import fractions
import helper
import missing

try:
    import colorsys
except ImportError:
    raise

def look(path):
    import sys
    loaded = [name in sys.modules for name in ("fractions", "helper", "colorsys")]
    if path == "/use":
        loaded.append(str(fractions.Fraction(helper.NUMBER)))
    return repr(loaded).encode()

def wsgi(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    return [look(environ["PATH_INFO"])]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/plain")]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": look(scope["path"])})
"""


@pytest.mark.parametrize(
    ("initialization_type", "is_supported", "reason"),
    [
        ("on-demand", True, ""),
        ("lambda-managed-instances", True, ""),
        ("snap-start", True, "with snap-start, imports belong into the init"),
        ("provisioned-concurrency", False, "with provisioned-concurrency, imports"),
        ("on-demand", False, "it needs Python 3.15, and this is 3."),
    ],
)
def test_where_imports_stay_as_they_are(
    initialization_type: str, is_supported: bool, reason: str
):
    """Imports stay eager before a snapshot, in advance, and on an older Python."""
    assert refusal(initialization_type, is_supported=is_supported).startswith(reason)
    assert bool(refusal(initialization_type, is_supported=is_supported)) == bool(reason)


@pytest.mark.parametrize(
    ("setting", "importer", "imported", "is_lazy"),
    [
        ("stdlib", "app", "decimal", True),
        ("stdlib", "flask.app", "email.message", True),
        ("stdlib", "app", "flask", False),
        ("stdlib", "trio._core", "inspect", False),
        ("all", "app", "flask.json", True),
        ("all", "lambda_adapter.app.in_process.wsgi.app", "traceback", False),
        ("all", "trio.to_thread", "trio._threads", False),
    ],
)
def test_which_imports_are_lazy(
    setting: str, importer: str, imported: str, is_lazy: bool
):
    """The filter makes the standard library lazy, but not the adapter."""
    assert choose_filter(setting)(importer, imported, None) is is_lazy


async def test_a_line_on_an_older_python(tmp_path: Path, runtime: FakeRuntimeApi):
    """Without lazy imports in Python, a line is logged and the application serves."""
    if hasattr(sys, "set_lazy_imports_filter"):
        pytest.skip("this Python has lazy imports")
    (tmp_path / "app.py").write_text(APP.replace("import missing", ""))
    (tmp_path / "helper.py").write_text("NUMBER = 7\n")

    async with open_adapter(
        runtime.address,
        ["--app-dir", str(tmp_path), "--wsgi", "app:wsgi"],
        AWS_LWA_LAZY_IMPORTS="all",
    ) as adapter:
        reply = await runtime.invoke(http_api("GET", "/use"))
        log = await adapter.wait_log("AWS_LWA_LAZY_IMPORTS")

    assert reply.json()["body"] == "[True, True, True, '7']"
    assert "does nothing here: it needs Python 3.15, and this is" in log


@pytest.fixture
def adapter() -> list[str]:
    """The adapter on a Python that has lazy imports, if there is one."""
    if hasattr(sys, "set_lazy_imports_filter"):
        return [sys.executable, "-m", "lambda_adapter"]
    python = shutil.which("python3.15")
    if not python:
        pytest.skip("no Python on PATH has lazy imports: python3.15")
    if not BOOTSTRAP.exists():
        pytest.skip("`make zipapp` has not built what runs on another Python")
    return [python, str(BOOTSTRAP)]


@pytest.mark.e2e
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("environ", "before"),
    [
        (["AWS_LWA_LAZY_IMPORTS=stdlib"], "[False, True, True]"),
        (["AWS_LWA_LAZY_IMPORTS=all"], "[False, False, True]"),
        (["AWS_LWA_LAZY_IMPORTS=all", IN_ADVANCE], "[True, True, True]"),
        ([], "[True, True, True]"),
    ],
    ids=["stdlib", "all", "provisioned concurrency", "off"],
)
async def test_lazy_modules_are_loaded_when_they_are_used(
    tmp_path: Path,
    runtime: FakeRuntimeApi,
    adapter: list[str],
    environ: list[str],
    before: str,
    kind: str,
):
    """A lazy module is not loaded before a name of it is used, and then works.

    An import in ``try`` is never lazy, and with ``all`` a package that is missing does
    not fail the init.
    """
    lazy = before == "[False, False, True]"
    (tmp_path / "app.py").write_text(APP if lazy else APP.replace("import missing", ""))
    (tmp_path / "helper.py").write_text("NUMBER = 7\n")

    async with open_adapter(
        runtime.address,
        ["--app-dir", str(tmp_path), f"--{kind}", f"app:{kind}"],
        adapter=["env", *environ, *adapter],
        SHIV_ROOT=str(tmp_path / "shiv"),
        TMPDIR=str(tmp_path),
    ):
        first = await runtime.invoke(http_api("GET", "/"))
        second = await runtime.invoke(http_api("GET", "/use"))

    assert first.json()["body"] == before
    assert "'7'" in str(second.json()["body"])
