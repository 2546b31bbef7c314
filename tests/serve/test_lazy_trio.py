"""``lazy_trio``: as much of trio as the adapter uses."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter import __version__
from lambda_adapter.serve.lazy_trio import NAMES
from tests.adapter import measured, open_adapter

SOURCE = Path(__file__).parent.parent.parent / "src" / "lambda_adapter"

WATCHED = """
import sys

STARTS = {"os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen"}

def watch(event, arguments):
    if event in STARTS:
        print(event, *arguments)

sys.addaudithook(watch)
from lambda_adapter.cli import main

sys.argv = ["lambda-adapter", "--version"]
status = main()
import trio

sys.exit(status)
"""
"""Prints which processes are started while everything is imported that serves."""


def run(code: str, *arguments: str, **environ: str) -> str:
    """Run a program in a Python of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environ | measured(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


def test_no_process_is_started():
    """Importing what serves the application starts no process."""
    assert run(WATCHED) == f"lambda-adapter {__version__}\n"


FRONT = """
import sys
from lambda_adapter.serve import lazy_trio

lazy_trio.import_trio()
import trio
"""

SERVING = "from lambda_adapter.serve import supervisor\n"

NEEDLESS = {"ctypes", "idna", "ssl", "subprocess", "trio._dtls", "trio._ssl"}
"""What trio imports of itself, and the adapter does not use."""

SAME_OBJECTS = """
from lambda_adapter.serve.lazy_trio import NAMES
front = {
    (module, name): vars(sys.modules[module])[name]
    for module, submodules in NAMES.items()
    for names in submodules.values()
    for name in names
}
modules = [sys.modules[module] for module in NAMES]
trio.open_file
print(modules == [sys.modules[module] for module in NAMES])
print({
    each for each, thing in front.items()
    if vars(sys.modules[each[0]])[each[1]] is not thing
})
"""

ORIGINS = """
from lambda_adapter.serve.lazy_trio import NAMES
for module, submodules in NAMES.items():
    for names in submodules.values():
        for name in names:
            thing = getattr(sys.modules[module], name)
            print(module, name, type(thing), getattr(thing, "__module__", None),
                  getattr(thing, "__qualname__", None))
"""


def test_needless_modules_are_not_imported():
    """What serves the application imports no part of trio that it has no use for."""
    loaded = run(FRONT + SERVING + "print(*sys.modules)").split()

    assert {"trio", "trio.lowlevel", "trio._core._run"} <= set(loaded)
    assert not NEEDLESS & set(loaded)


def test_each_name_is_of_trio():
    """Each name of the front is the object that trio's own ``__init__`` exports."""
    assert run(FRONT + SAME_OBJECTS) == "True\nset()\n"


def test_origins_are_those_of_trio():
    """Tracebacks quote names of the front as they quote trio's."""
    assert run(FRONT + ORIGINS) == run("import sys, trio\n" + ORIGINS)


@pytest.mark.parametrize(
    "expression",
    [
        "trio.open_tcp_stream",
        "trio.__version__",
        "trio.socket.getaddrinfo",
        "trio.lowlevel.open_process",
        "__import__('trio.testing').testing.MockClock",
        "trio.to_thread.run_sync",
    ],
)
def test_another_name_loads_all_of_trio(expression):
    """A name that the front does not have is the one that trio has."""
    show = f"print(getattr({expression}, '__module__', {expression}))\n"
    whole = "print(sorted(set(dir(trio)) | set(dir(trio.lowlevel))))\n"

    assert run(FRONT + SERVING + show + "trio.open_file\n" + whole) == run(
        "import trio\n" + SERVING + show + whole
    )


@pytest.mark.parametrize("module", ["trio", "trio.lowlevel"])
def test_no_such_name(module):
    """A name that trio does not have is the same error as with trio."""
    ask = f"""
import {module}
for name in ("nothing", "_nothing", "__all__"):
    try:
        getattr({module}, name)
    except AttributeError as error:
        print(error)
"""

    assert run(FRONT + ask) == run(ask)


IN_THREADS = """
import threading

together = threading.Barrier(8)
found = []

def ask(name):
    together.wait()
    found.append(getattr(trio, name))

names = ["open_file", "socket", "Path", "SSLStream", "abc", "Process", "lowlevel"]
threads = [threading.Thread(target=ask, args=[name]) for name in names]
for thread in threads:
    thread.start()
together.wait()
trio.lowlevel.open_process
for thread in threads:
    thread.join()
print(len(found))
"""


def test_names_for_several_threads():
    """While one thread loads all of trio, names that others ask for are there."""
    for _ in range(5):
        assert run(FRONT + IN_THREADS) == "7\n"


@pytest.mark.parametrize(
    "names", ["dir(trio)", "dir(trio.lowlevel)", "everything.keys()"]
)
def test_all_names(names):
    """``dir`` and ``import *`` list what trio has, loaded or not."""
    ask = (
        "import trio\neverything = {}\n"
        + ("exec('from trio import *', everything)\n" if "every" in names else "")
        + f"print(sorted(name for name in {names} if name[0] != '_'))"
    )

    assert run(FRONT + ask) == run(ask)


def test_imported_before():
    """If trio is imported already, it is left as it is."""
    loaded = "print('trio._dtls' in sys.modules, hasattr(trio, 'open_file'))"

    assert run("import trio\n" + FRONT + loaded) == "True True\n"


@pytest.mark.parametrize(
    "layout",
    [
        {"__init__": "core = 'all of it'"},
        {"__init__": "from ._core import core", "_core": "core = 'all of it'"},
    ],
)
def test_another_layout(tmp_path, layout):
    """A trio with another layout is imported as usual."""
    (tmp_path / "trio").mkdir()
    for name, code in layout.items():
        (tmp_path / "trio" / f"{name}.py").write_text(code)

    printed = run(FRONT + "print(trio.core)", PYTHONPATH=str(tmp_path))

    assert printed == "all of it\n"


def test_ctypes_is_its_own_again():
    """A later import of ``ctypes`` gets the real module."""
    printed = run(FRONT + "import ctypes, ctypes.util\nprint(ctypes.CDLL(None).getpid)")

    assert "_FuncPtr" in printed


AT_WORK = """
import os, signal

class Steps(trio.abc.Instrument if len(sys.argv) > 1 else object):
    def before_run(self): print("before")
    def after_run(self): print("after")

async def main():
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        async for number in signals:
            print(signal.Signals(number).name)
            break
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(event.wait)
        event.set()
    with trio.move_on_after(0.01) as scope:
        await trio.sleep_forever()
    print(scope.cancelled_caught)
    try:
        with trio.fail_after(0.01):
            await trio.sleep_forever()
    except trio.TooSlowError as error:
        print(repr(error))
    try:
        async with trio.open_nursery() as nursery:
            raise ValueError("inside")
    except* ValueError as group:
        print(repr(group))
    print(await trio.to_thread.run_sync(lambda: "in a thread"))
    print((await trio.run_process(["echo", "here"], capture_stdout=True)).stdout)
    return 7

print(trio.run(main, instruments=[Steps()]))
"""


@pytest.mark.parametrize("arguments", [[], ["with trio.abc"]])
def test_a_run_works_wholly(arguments):
    """Tasks, signals, deadlines, groups, threads and processes work as in trio."""
    assert run(FRONT + AT_WORK, *arguments) == run(
        "import sys, trio\n" + AT_WORK, *arguments
    )


def test_table_has_what_the_adapter_uses():
    """Every attribute of trio that the adapter's code names is in the front.

    Except in what runs an application on trio, and the local Lambda: there, all of it
    is imported.
    """
    used = {
        ast.unparse(node)
        for path in SOURCE.rglob("*.py")
        if "local" not in path.parts and not path.name.startswith("host_trio")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute)
    }
    names = {
        f"{module}.{name}"
        for module, submodules in NAMES.items()
        for each in submodules.values()
        for name in each
    }

    named = {name for name in used if re.fullmatch(r"trio[.\w]+", name)}
    assert named <= names | set(NAMES)


def test_all_of_trio():
    """If an application runs in this process, all of trio is imported."""
    code = (
        "import sys\n"
        "from lambda_adapter.serve.lazy_trio import import_all_of_trio\n"
        "import_all_of_trio()\n"
        "import trio\n"
        "print('open_tcp_stream' in vars(trio), 'ctypes' in sys.modules)"
    )

    assert run(code) == "True False\n"


def mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


async def test_adapter_serves_behind_the_front(runtime):
    """An adapter that has served an event has loaded no TLS."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.invoke({"an": "event"})
        loaded = mapped(adapter.process.pid)

    assert "/msgspec/" in loaded
    assert "ssl" not in loaded
