"""What is compared: each subject is a command and its environment."""

import os
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

NATIVE = PROJECT / "bench" / "native"
RIVALS = str(PROJECT / "bench" / "rivals")
FASTAPI = str(PROJECT / "examples" / "fastapi")
PYTHON = str(BIN / "python")
OURS, PEER = "ours", "LWA"

LWA = CACHE / "lwa" / "bin" / "lambda-adapter"
LWA_CRATE = ("lambda_web_adapter", "--version", "1.0.0-rc1")


class BenchError(Exception):
    """Something is missing on this machine, or did not do what it is measured by."""


class Application(msgspec.Struct, frozen=True):
    """A web application: a command that listens on $PORT, and an ASGI callable."""

    name: str
    command: tuple[str, ...]
    asgi: str


TRIVIAL = Application("trivial", (str(CACHE / "app"),), "trivial_asgi:app")
FAST_API = Application(
    "FastAPI",
    (PYTHON, "-m", "uvicorn", "--no-access-log", "--app-dir", FASTAPI, "app:app"),
    "app:app",
)


class Subject(msgspec.Struct, frozen=True):
    """One row of a table; README.md says what each is."""

    name: str
    command: tuple[str, ...]
    app: Literal["child", "beside", "inside"] = "beside"
    """The adapter starts the application, is started beside it, or is it as well."""
    environ: dict[str, str] = {}


SUBJECTS = {
    each.name: each
    for each in (
        Subject(OURS, (str(BIN / "lambda-adapter"),), "child"),
        Subject("blocking", (PYTHON, f"{RIVALS}/blocking.py")),
        Subject(
            "Mangum",
            (PYTHON, "-m", "awslambdaric", "with_mangum.handler"),
            "inside",
            {"PYTHONPATH": f"{RIVALS}:{FASTAPI}", "_HANDLER": "with_mangum.handler"},
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


def compile_native() -> None:
    """Compile what has changed in ``native/``.

    Raises:
        BenchError: there is no C compiler.
    """
    require("cc")
    CACHE.mkdir(parents=True, exist_ok=True)
    rules = [f"VPATH={NATIVE}", "CFLAGS=-O2 -static -pthread"]
    command = ["make", "--silent", "-C", str(CACHE), *rules, "launch", "app"]
    subprocess.run(command, check=True)


def require(program: str) -> None:
    """Do nothing if there is such a program.

    Raises:
        BenchError: there is none.
    """
    if not shutil.which(program):
        raise BenchError(f"{program} is not found, or not executable")
