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


SUITES = (
    Suite("flask", "werkzeug"),
    Suite("werkzeug", "werkzeug", options=("-m", "not dev_server")),
)
