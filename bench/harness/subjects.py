"""What is compared: each subject is a command and its environment."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import msgspec

PROJECT = Path(__file__).parents[2]
CACHE = PROJECT / ".cache" / "bench"
BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"
"""The PATH of all that is measured: this Python comes first."""

PROGRAMS = PROJECT / "bench" / "native"
RIVALS = str(PROJECT / "bench" / "rivals")
FASTAPI = str(PROJECT / "examples" / "fastapi")
FLASK_EXAMPLE = str(PROJECT / "examples" / "flask")
PYTHON = str(BIN / "python")
OURS, NATIVE, PEER = "ours", "native", "LWA"

NATIVE_FILE = PROJECT / "dist" / f"lambda-adapter-{platform.machine()}"
LWA = CACHE / "lwa" / "bin" / "lambda-adapter"
LWA_CRATE = ("lambda_web_adapter", "--version", "1.0.0-rc1")


class BenchError(Exception):
    """Something is missing on this machine, or did not do what it is measured by."""


class Application(msgspec.Struct, frozen=True):
    """A web application: a command that listens on $PORT, and a callable."""

    name: str
    command: tuple[str, ...]
    callable: str
    kind: Literal["asgi", "wsgi"] = "asgi"


TRIVIAL = Application("trivial", (str(CACHE / "app"),), "trivial_asgi:app")
FAST_API = Application(
    "FastAPI",
    (PYTHON, "-m", "uvicorn", "--no-access-log", "--app-dir", FASTAPI, "app:app"),
    "app:app",
)
LOADED = Application(
    "FastAPI with 50 MB",
    (PYTHON, "-m", "uvicorn", "--no-access-log", "--app-dir", RIVALS, "loaded:app"),
    "loaded:app",
)
PLAIN = Application(
    "plain ASGI",
    (
        *(PYTHON, "-m", "uvicorn", "--no-access-log", "--app-dir", RIVALS),
        *("--lifespan", "off", "trivial_asgi:app"),
    ),
    "trivial_asgi:app",
)
PLAIN_WSGI = Application("plain WSGI", (), "trivial_wsgi:app", "wsgi")
"""Only ever in the adapter's process."""

FLASK = Application(
    "Flask",
    (
        *(PYTHON, "-m", "gunicorn", "--no-control-socket", "--threads", "1"),
        *("--chdir", FLASK_EXAMPLE, "app:app"),
    ),
    "app:app",
    "wsgi",
)


class Subject(msgspec.Struct, frozen=True):
    """One row of a table; README.md says what each is."""

    name: str
    command: tuple[str, ...]
    app: Literal["child", "beside", "inside"] = "beside"
    """The adapter starts the application, is started beside it, or is it as well."""
    environ: dict[str, str] = {}
    runs: Literal["any", "asgi", "wsgi"] = "any"
    """Which applications it can run."""


def _inside(name: str, kind: Literal["asgi", "wsgi"], **environ: str) -> Subject:
    """Return the adapter with the application in its process."""
    command = (str(BIN / "lambda-adapter"), f"--{kind}", "{callable}")
    path = f"{RIVALS}:{FASTAPI if kind == 'asgi' else FLASK_EXAMPLE}"
    return Subject(name, command, "inside", {"PYTHONPATH": path, **environ}, kind)


SUBJECTS = {
    each.name: each
    for each in (
        Subject(OURS, (str(BIN / "lambda-adapter"),), "child"),
        Subject(NATIVE, (str(NATIVE_FILE),), "child"),
        Subject("blocking", (PYTHON, f"{RIVALS}/blocking.py")),
        Subject(
            "Mangum",
            (PYTHON, "-m", "awslambdaric", "with_mangum.handler"),
            "inside",
            {"PYTHONPATH": f"{RIVALS}:{FASTAPI}", "_HANDLER": "with_mangum.handler"},
            "asgi",
        ),
        _inside("asyncio", "asgi"),
        _inside("trio", "asgi", AWS_LWA_ASGI_LOOP="trio"),
        _inside("trio-asyncio", "asgi", AWS_LWA_ASGI_LOOP="trio-asyncio"),
        _inside("thread", "wsgi"),
        _inside("inline", "wsgi", AWS_LWA_WSGI_INLINE="true"),
        Subject(
            "apig-wsgi",
            (PYTHON, "-m", "awslambdaric", "with_apig_wsgi.handler"),
            "inside",
            {
                "PYTHONPATH": f"{RIVALS}:{FLASK_EXAMPLE}",
                "_HANDLER": "with_apig_wsgi.handler",
            },
            "wsgi",
        ),
        Subject(PEER, (str(LWA),)),
    )
}


def find(name: str) -> Subject:
    """Return a subject by its name; a path is that of another adapter like ours.

    Raises:
        BenchError: it is not available.
    """
    if name == PEER and not LWA.exists():
        require("cargo")
        print(f"building {' '.join(LWA_CRATE)}, once; takes minutes", file=sys.stderr)
        install = ["cargo", "install", "--root", str(CACHE / "lwa"), *LWA_CRATE]
        subprocess.run(install, check=True)
    subject = SUBJECTS.get(name) or Subject(name, (os.path.abspath(name),), "child")
    require(subject.command[0])
    return subject


def compile_programs() -> None:
    """Compile what has changed in ``native/``.

    Raises:
        BenchError: there is no C compiler.
    """
    require("cc")
    CACHE.mkdir(parents=True, exist_ok=True)
    rules = [f"VPATH={PROGRAMS}", "CFLAGS=-O2 -static -pthread"]
    command = ["make", "--silent", "-C", str(CACHE), *rules, "launch", "app"]
    subprocess.run(command, check=True)


def require(program: str) -> None:
    """Do nothing if there is such a program.

    Raises:
        BenchError: there is none.
    """
    if not shutil.which(program):
        raise BenchError(f"{program} is not found, or not executable")
