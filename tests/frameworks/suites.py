"""The suites, and where each has its tests."""

from pathlib import Path
from typing import NamedTuple

REQUIREMENTS = Path(__file__).parent / "requirements"


class Suite(NamedTuple):
    """A framework's own tests."""

    name: str
    client: str
    """The function of ``lambda_between.clients`` that puts the adapter in between."""
    tests: tuple[str, ...] = ("tests",)
    options: tuple[str, ...] = ()
    """More arguments for pytest."""
    runner: tuple[str, ...] = (
        *("pytest", "-q", "--tb=short", "--timeout=60"),
        *("-p", "no:cacheprovider", "-p", "lambda_between"),
    )
    folder: str = "."
    """The working directory, in the folder of the sources."""


SUITES = (
    Suite("flask", "werkzeug"),
    Suite("werkzeug", "werkzeug", options=("-m", "not dev_server")),
    Suite("starlette", "starlette"),
    Suite("pyramid", "webob"),
    Suite("webob", "webob"),
    Suite("webtest", "webob"),
)
