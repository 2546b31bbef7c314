"""The programs that a measurement needs: built once, outside git."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
CACHE = PROJECT / ".cache" / "bench"
BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"
"""The PATH of all that is measured: this Python comes first."""

ZIPAPP = PROJECT / "dist" / "bootstrap"
LWA = CACHE / "lwa" / "bin" / "lambda-adapter"
LWA_CRATE = ("lambda_web_adapter", "1.0.0-rc1")
"""The crate of the peer, and its version."""


class MissingError(Exception):
    """Something is not available on this machine; the message says why."""


def native(name: str) -> Path:
    """Return the program made of ``native/NAME.c``.

    Raises:
        MissingError: there is no C compiler.
    """
    source = PROJECT / "bench" / "native" / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    program = CACHE / f"{name}-{digest}"
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = program.with_name(f".{program.name}.{os.getpid()}")
        options = ["-O2", "-static", "-pthread", "-o", str(new)]
        subprocess.run([find_tool("cc"), *options, str(source)], check=True)
        new.replace(program)
    return program


def build_lwa() -> None:
    """Build the Lambda Web Adapter.

    Raises:
        MissingError: there is no cargo, or it fails.
    """
    if not LWA.exists():
        crate, version = LWA_CRATE
        options = [crate, "--version", version, "--root", str(CACHE / "lwa")]
        print(f"building {crate} {version}, once; takes minutes", file=sys.stderr)
        if subprocess.run([find_tool("cargo"), "install", *options]).returncode:
            raise MissingError(f"cargo install {crate} failed")


def unpack_zipapp() -> None:
    """Unpack the zipapp, so that no measurement has to.

    Raises:
        MissingError: it is not built.
    """
    if not ZIPAPP.exists():
        raise MissingError("no dist/bootstrap: run make zipapp")
    environ = {"PATH": PATH, "SHIV_ROOT": str(CACHE / "shiv")}
    quiet = subprocess.DEVNULL
    subprocess.run([ZIPAPP, "--version"], env=environ, check=True, stdout=quiet)


def find_tool(name: str) -> str:
    """Return the path of a program.

    Raises:
        MissingError: it is not on PATH.
    """
    path = shutil.which(name)
    if not path:
        raise MissingError(f"{name} is not on PATH")
    return path
