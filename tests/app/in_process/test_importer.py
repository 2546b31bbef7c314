"""``loading``: importing an application into this process."""

import gc
import sys

import pytest

from lambda_adapter.app.in_process.importer import load
from lambda_adapter.config import Config
from lambda_adapter.errors import AppImportError
from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.fake_runtime_api import INIT_ERROR


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
    (tmp_path / "mistyped.py").write_text("\nretrun 1\n")
    (tmp_path / "noted.py").write_text(
        "error = RuntimeError('no database')\n"
        "error.add_note('see the log')\n"
        "raise error\n"
    )
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
    """An application is an attribute, or the result of a factory."""
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
        ("mistyped:app", "SyntaxError: invalid syntax (mistyped.py, line 2)"),
        ("noted:app", "RuntimeError: no database"),
    ],
)
def test_reasons(module, name, reason):
    """A failed import is reported with the type and the text of its error."""
    with pytest.raises(AppImportError) as caught:
        load(name, config(module), "wsgi")

    assert str(caught.value).startswith(f"the application '{name}' can't be imported: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("nowhere:app", "; it was looked for in {}, "),
        ("needs:app", f"; is it installed for {sys.executable}?"),
        ("some_app:aap", "; did you mean some_app:app?"),
        ("some_app:Holder.aap", "; did you mean some_app:Holder.app?"),
        ("some_app:Hodler.app", "; did you mean some_app:Holder.app?"),
        ("some_app:crate()", "; did you mean some_app:create()?"),
        ("some_app:api", "; did you mean some_app:app?"),
        ("some_app:nothing", "has no attribute 'nothing'"),
    ],
)
def test_advice(module, name, advice):
    """A failed import says where the module was looked for, or what was meant."""
    with pytest.raises(AppImportError) as caught:
        load(name, config(module), "wsgi")

    assert advice.format(module) in str(caught.value)


@pytest.mark.parametrize("name", ["needs:app", "mistyped:app"])
async def test_traceback_is_the_applications(runtime, module, name):
    """The traceback in the log begins in the application, not in what imports it."""
    directory = str(module)
    async with open_adapter(
        runtime.address, ["--wsgi", name], AWS_LWA_APP_DIR=directory
    ) as adapter:
        assert await adapter.wait() == 1

    assert f"{name.partition(':')[0]}.py" in adapter.log
    assert "importlib" not in adapter.log
    assert "importer.py" not in adapter.log


def test_task_root_is_on_the_path(module):
    """A zip package's modules are found where Lambda unpacks it."""
    assert load("some_app:app", Config({"LAMBDA_TASK_ROOT": str(module)}), "wsgi")


def test_app_dir_comes_first(module, tmp_path_factory):
    """The configured directory precedes the function's package."""
    other = tmp_path_factory.mktemp("other")
    (other / "some_app.py").write_text(
        "def app(environ, start_response): return 'other'\n"
    )

    found = load("some_app:app", config(other, LAMBDA_TASK_ROOT=str(module)), "wsgi")

    assert callable(found)
    assert found({}, None) == "other"


GREEN = """
from gevent import monkey
monkey.{patch}()
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""


@pytest.mark.e2e
@pytest.mark.parametrize("option", ["--asgi", "--wsgi"])
@pytest.mark.parametrize("patch", ["patch_all", "patch_select", "patch_thread"])
async def test_what_gevent_replaces(runtime, tmp_path, patch, option):
    """An application that replaces modules of the adapter is an init error."""
    source = GREEN.format(patch=patch)
    if option == "--asgi":
        source += "async def app(scope, receive, send): ..."
    (tmp_path / "app.py").write_text(source)
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), option, "app:app"]
    ) as adapter:
        status = await adapter.wait()

    posted = await runtime.wait_posted(INIT_ERROR)
    assert status == 1
    assert "gevent has replaced" in str(posted.json()["errorMessage"])
    assert "as a command" in adapter.log
    assert "Traceback" not in adapter.log


@pytest.mark.e2e
async def test_what_gevent_may_replace(runtime, tmp_path):
    """An application that replaces other modules is served."""
    (tmp_path / "app.py").write_text(GREEN.format(patch="patch_time"))
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--wsgi", "app:app"]
    ):
        posted = await runtime.invoke(http_event())

    assert posted.json()["body"] == "ok"


REPLACED = """
import socket

class ProxySocket(socket.socket):
    # Like PySocks, which also refuses a type with SOCK_NONBLOCK.
    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        if type not in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            raise ValueError(type)
        super().__init__(family, type, proto, fileno)

    def connect(self, address):
        raise OSError("no proxy")

    connect_ex = connect

socket.socket = ProxySocket
socket.setdefaulttimeout(0.01)

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"ok"})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_replaced_sockets(runtime, tmp_path, kind):
    """Sockets that an application replaces, by a proxy's, are not used for Lambda."""
    (tmp_path / "app.py").write_text(REPLACED)
    command = ["--app-dir", str(tmp_path), f"--{kind}", f"app:{kind}"]
    async with open_adapter(runtime.address, command):
        await runtime.wait(lambda: runtime.polls == 1)
        posted = await runtime.invoke(http_event())

    assert posted.json()["body"] == "ok"


SETTINGS = """
import gc
{setting}
def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{{gc.isenabled()}} {{gc.get_threshold()[0]}}".encode()]
"""


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", "True {default}"),
        ("gc.disable()", "False {default}"),
        ("gc.disable(); gc.enable()", "True {default}"),
        ("gc.set_threshold(50_000)", "True 50000"),
        ("gc.set_threshold(0)", "True 0"),
    ],
)
async def test_garbage_collector(runtime, tmp_path, setting, expected):
    """How an application sets up the garbage collector at import is left as it is."""
    (tmp_path / "app.py").write_text(SETTINGS.format(setting=setting))
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--wsgi", "app:app"]
    ):
        posted = await runtime.invoke(http_event())

    assert posted.json()["body"] == expected.format(default=gc.get_threshold()[0])


LEFT = """
import atexit, concurrent.futures, multiprocessing, threading
never = threading.Event()
{left}
raise RuntimeError("no config")
"""


@pytest.mark.parametrize(
    "left",
    [
        "threading.Thread(target=never.wait).start()",
        "concurrent.futures.ThreadPoolExecutor().submit(never.wait)",
        "atexit.register(never.wait)",
        "multiprocessing.get_context('fork').Process(target=never.wait).start()",
    ],
)
async def test_failed_import_beside_work(runtime, tmp_path, left):
    """A failed import ends the process, whatever its module has started."""
    (tmp_path / "app.py").write_text(LEFT.format(left=left))
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--wsgi", "app:app"]
    ) as adapter:
        await adapter.wait()
        posted = await runtime.wait_posted(INIT_ERROR)

    assert "no config" in str(posted.json()["errorMessage"])
