"""``loading``: importing an application into this process."""

import sys

import pytest

from lambda_adapter.app.in_process.importer import load
from lambda_adapter.config import Config
from lambda_adapter.errors import AppImportError


@pytest.fixture
def module(tmp_path):
    """A module on no path yet, which is forgotten after the test."""
    before, known = list(sys.path), set(sys.modules)
    (tmp_path / "some_app.py").write_text(
        "def app(environ, start_response): ...\n"
        "class Holder:\n    app = app\n"
        "def create(): return app\n"
        "def fail(): raise RuntimeError('no database')\n"
        "number = 3\n"
    )
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "needs.py").write_text("import no_such_package\n")
    yield tmp_path
    sys.path[:] = before
    for name in set(sys.modules) - known:
        del sys.modules[name]


def config(directory, **environ):
    return Config({"AWS_LWA_APP_DIR": str(directory), **environ})


@pytest.mark.parametrize(
    "name", ["some_app:app", "some_app:Holder.app", "some_app:create()"]
)
def test_names(module, name):
    """An application is an attribute, or what a factory returns."""
    assert load(name, config(module), "wsgi") is sys.modules["some_app"].app


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere:app", "ModuleNotFoundError: No module named 'nowhere'"),
        ("needs:app", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("some_app:nothing", "has no attribute 'nothing'"),
        ("some_app:fail()", "RuntimeError: no database"),
        ("some_app:number", "can't be called"),
        ("leaves:app", "SystemExit: 3"),
    ],
)
def test_reasons(module, name, reason):
    """What can't be imported is named with the last line of the traceback."""
    with pytest.raises(AppImportError) as caught:
        load(name, config(module), "wsgi")

    assert str(caught.value).startswith(f"the application '{name}' can't be imported: ")
    assert reason in str(caught.value)


def test_task_root_is_on_the_path(module):
    """A zip package's modules are found where Lambda unpacks it."""
    assert load("some_app:app", Config({"LAMBDA_TASK_ROOT": str(module)}), "wsgi")


def test_app_dir_comes_first(module, tmp_path_factory):
    """The directory that is set comes before the function's package."""
    other = tmp_path_factory.mktemp("other")
    (other / "some_app.py").write_text(
        "def app(environ, start_response): return 'other'\n"
    )

    found = load("some_app:app", config(other, LAMBDA_TASK_ROOT=str(module)), "wsgi")

    assert callable(found)
    assert found({}, None) == "other"
