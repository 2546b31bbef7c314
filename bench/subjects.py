"""What is compared: each subject is a command and its environment."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import builds
from bench.builds import BIN, PROJECT, MissingError

RIVALS = Path(__file__).parent / "rivals"
FASTAPI = PROJECT / "examples" / "fastapi"

PEER = "LWA"
"""The subject that ratios are to."""

OURS = "ours"


class Application(msgspec.Struct, frozen=True):
    """A web application: a command that listens on a port, and an ASGI callable."""

    name: str
    asgi: str

    def command(self, port: int) -> list[str]:
        """Return what starts it."""
        if self.name == "trivial":
            return [str(builds.native("app")), str(port)]
        options = ["--no-access-log", "--port", str(port), "--app-dir", str(FASTAPI)]
        return [str(BIN / "python"), "-m", "uvicorn", *options, "app:app"]


TRIVIAL = Application("trivial", "trivial_asgi:app")
FAST_API = Application("fastapi", "app:app")
APPLICATIONS = {each.name: each for each in (TRIVIAL, FAST_API)}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a table."""

    name: str
    what: str
    """In a few words, for the README's reader."""
    command: tuple[str, ...] = ()
    environ: dict[str, str] = {}
    cwd: str | None = None
    starts_app: bool = False
    """Whether it takes the application's command as its arguments."""
    has_app: bool = False
    """Whether it is the application as well."""
    waits: bool = True
    """Whether it can be started before the application listens."""
    direct: bool = False
    """Whether it is no adapter at all: the far end talks to the application."""


class Missing(msgspec.Struct, frozen=True):
    """A subject that can't be had here."""

    subject: str
    why: str


def find(names: list[str], peer: str | None) -> tuple[list[Subject], list[Missing]]:
    """Return the subjects of these names that can be had, and those that can't."""
    subjects, missing = [], []
    for name in names:
        try:
            subjects.append(SUBJECTS[name](peer))
        except MissingError as error:
            missing.append(Missing(name, str(error)))
    return subjects, missing


def _ours(_peer: str | None) -> Subject:
    return Subject(
        name=OURS,
        what="the adapter, installed",
        command=(str(BIN / "lambda-adapter"),),
        starts_app=True,
    )


def _zipapp(_peer: str | None) -> Subject:
    bootstrap, root = builds.unpacked_zipapp()
    return Subject(
        name="ours, zipapp",
        what="the adapter as dist/bootstrap, unpacked",
        command=(str(bootstrap),),
        environ={"SHIV_ROOT": str(root)},
        starts_app=True,
    )


def _lwa(peer: str | None) -> Subject:
    return Subject(
        name=PEER,
        what=f"AWS's Lambda Web Adapter {builds.LWA[1]}, in Rust",
        command=(str(builds.lwa(peer)),),
    )


def _mangum(_peer: str | None) -> Subject:
    _require("mangum", "awslambdaric")
    return Subject(
        name="Mangum",
        what="Mangum on awslambdaric, the application in its process",
        command=(str(BIN / "python"), "-m", "awslambdaric", "with_mangum.handler"),
        environ={"PYTHONPATH": str(FASTAPI), "_HANDLER": "with_mangum.handler"},
        cwd=str(RIVALS),
        has_app=True,
    )


def _bare(_peer: str | None) -> Subject:
    return Subject(name="bare", what="the application, without an adapter", direct=True)


def _blocking(_peer: str | None) -> Subject:
    return Subject(
        name="blocking",
        what="a loop of blocking sockets: the floor for CPython",
        command=(str(BIN / "python"), "-I", str(RIVALS / "blocking.py")),
        waits=False,
    )


def _httpx(_peer: str | None) -> Subject:
    _require("httpx")
    return Subject(
        name="httpx",
        what="the same loop on trio and httpx",
        command=(str(BIN / "python"), "-I", str(RIVALS / "with_httpx.py")),
        waits=False,
    )


def _require(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingError(f"{module} is not installed in {sys.prefix}")


SUBJECTS: dict[str, Callable[[str | None], Subject]] = {
    OURS: _ours,
    "ours, zipapp": _zipapp,
    PEER: _lwa,
    "Mangum": _mangum,
    "bare": _bare,
    "blocking": _blocking,
    "httpx": _httpx,
}
