"""What is compared: each subject is a command and its environment."""

import os
from collections.abc import Callable, Iterable

import msgspec

from bench.harness.builds import (
    BIN,
    CACHE,
    LWA,
    PROJECT,
    ZIPAPP,
    MissingError,
    build_lwa,
    native,
    unpack_zipapp,
)

RIVALS = str(PROJECT / "bench" / "rivals")
FASTAPI = str(PROJECT / "examples" / "fastapi")
PYTHON = str(BIN / "python")
OURS = "ours"
PEER = "LWA"
"""The subject that ratios are to."""


class Application(msgspec.Struct, frozen=True):
    """A web application: a command that listens on a port, and an ASGI callable."""

    name: str
    asgi: str

    def command(self, port: int) -> list[str]:
        """Return what starts it."""
        if self.name == "trivial":
            return [str(native("app")), str(port)]
        options = ["--no-access-log", "--port", str(port), "--app-dir", FASTAPI]
        return [PYTHON, "-m", "uvicorn", *options, "app:app"]


TRIVIAL = Application("trivial", "trivial_asgi:app")
FAST_API = Application("fastapi", "app:app")
APPLICATIONS = {each.name: each for each in (TRIVIAL, FAST_API)}


class Subject(msgspec.Struct, frozen=True):
    """One row of a table; README.md says what each is."""

    name: str
    command: tuple[str, ...]
    """Empty if there is no adapter: the far end talks to the application."""
    environ: dict[str, str] = {}
    cwd: str | None = None
    prepare: Callable[[], None] = lambda: None
    """Make it available, or raise MissingError."""
    starts_app: bool = False
    """Whether it takes the application's command as its arguments."""
    has_app: bool = False
    """Whether it is the application as well."""
    waits: bool = True
    """Whether it can be started before the application listens."""


SUBJECTS = {
    each.name: each
    for each in (
        Subject(OURS, (str(BIN / "lambda-adapter"),), starts_app=True),
        Subject(
            "ours, zipapp",
            (str(ZIPAPP),),
            environ={"SHIV_ROOT": str(CACHE / "shiv")},
            prepare=unpack_zipapp,
            starts_app=True,
        ),
        Subject(PEER, (str(LWA),), prepare=build_lwa),
        Subject(
            "Mangum",
            (PYTHON, "-m", "awslambdaric", "with_mangum.handler"),
            environ={"PYTHONPATH": FASTAPI, "_HANDLER": "with_mangum.handler"},
            cwd=RIVALS,
            has_app=True,
        ),
        Subject("bare", ()),
        Subject("blocking", (PYTHON, "-I", f"{RIVALS}/blocking.py"), waits=False),
        Subject("httpx", (PYTHON, "-I", f"{RIVALS}/with_httpx.py"), waits=False),
    )
}


class Missing(msgspec.Struct, frozen=True):
    """A subject or a tool that is not available, for the table's caption."""

    subject: str
    why: str


def find(names: Iterable[str], peer: str | None) -> tuple[list[Subject], list[Missing]]:
    """Return the subjects that are available, and those that are not.

    ``peer`` is the path of a Lambda Web Adapter; without it, cargo builds one.
    """
    subjects, missing = [], []
    for name in names:
        subject = SUBJECTS[name]
        try:
            if name == PEER and peer:
                if not os.access(peer, os.X_OK):
                    raise MissingError(f"{peer} is not an executable file")
                command = (os.path.abspath(peer),)
                subject = msgspec.structs.replace(subject, command=command)
            else:
                subject.prepare()
            subjects.append(subject)
        except MissingError as error:
            missing.append(Missing(name, str(error)))
    return subjects, missing
