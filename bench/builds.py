"""What has to be there before anything is measured: built once, outside git."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
NATIVE = Path(__file__).parent / "native"
CACHE = PROJECT / ".cache" / "bench"
BIN = Path(sys.executable).parent

LWA = ("lambda_web_adapter", "1.0.0-rc1")
"""The crate of the peer, and its version."""


class MissingError(Exception):
    """Something can't be had here; says why."""


def native(name: str) -> Path:
    """Return the program made of ``native/NAME.c``."""
    source = NATIVE / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    program = CACHE / f"{name}-{digest}"
    if not program.exists():
        compiler = shutil.which("cc")
        if not compiler:
            raise MissingError("no C compiler: cc is not on PATH")
        CACHE.mkdir(parents=True, exist_ok=True)
        new = program.with_name(f".{program.name}.{os.getpid()}")
        options = ["-O2", "-static", "-pthread", "-o", str(new)]
        subprocess.run([compiler, *options, str(source)], check=True)
        new.replace(program)
    return program


def lwa(peer: str | None) -> Path:
    """Return the Lambda Web Adapter: the one that is named, or one built by cargo.

    Raises:
        MissingError: there is neither.
    """
    if peer:
        if not os.access(peer, os.X_OK):
            raise MissingError(f"{peer} is no program")
        return Path(peer).resolve()
    root = CACHE / "lwa"
    program = root / "bin" / "lambda-adapter"
    if not program.exists():
        cargo = shutil.which("cargo")
        if not cargo:
            raise MissingError("no cargo to build it; --peer PATH names a built one")
        crate, version = LWA
        command = [cargo, "install", crate, "--version", version, "--root", str(root)]
        print(f"building {crate} {version}, once; minutes", file=sys.stderr)
        if subprocess.run(command, check=False).returncode:
            raise MissingError(f"cargo install {crate} failed")
    return program


def unpacked_zipapp() -> tuple[Path, Path]:
    """Return ``dist/bootstrap``, and the root below which it is unpacked.

    Raises:
        MissingError: it is not built.
    """
    bootstrap = PROJECT / "dist" / "bootstrap"
    if not bootstrap.exists():
        raise MissingError("no dist/bootstrap: make zipapp")
    root = CACHE / "shiv"
    environ = {"PATH": path(), "SHIV_ROOT": str(root)}
    subprocess.run(
        [bootstrap, "--version"], env=environ, check=True, stdout=subprocess.DEVNULL
    )
    return bootstrap, root


def path() -> str:
    """Return the PATH of all that is measured: this Python comes first."""
    return f"{BIN}{os.pathsep}{os.environ['PATH']}"
