"""The interface for reporting what happens to a function."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.ports import SetupError

MAX_LINES = 50
"""Most lines of the log to show if an application does not start."""


class Report(Protocol):
    """Receives what happens to a function."""

    def ready(self, init_ms: float) -> None:
        """Report that an environment is initialised."""

    def line(self, text: str) -> None:
        """Report a line that the function has printed."""

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Report a completed invocation; ``reset`` if its environment is ended."""

    def notice(self, text: str) -> None:
        """Report a notice."""

    def failure(self, text: str) -> None:
        """Report a problem that the user must solve."""


class Silence:
    """Reports nothing."""

    def ready(self, init_ms: float) -> None:
        """Do nothing."""

    def line(self, text: str) -> None:
        """Do nothing."""

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Do nothing."""

    def notice(self, text: str) -> None:
        """Do nothing."""

    def failure(self, text: str) -> None:
        """Do nothing."""


class LastLines(Silence):
    """Keeps the end of the log, in case an application does not start."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        """Keep a line."""
        self.lines = [*self.lines, text][-MAX_LINES:]

    @contextmanager
    def added_to_errors(self) -> Iterator[None]:
        """Add the lines to an error of the start.

        Raises:
            SetupError: the start failed.
        """
        try:
            yield
        except SetupError as error:
            raise SetupError("\n".join([str(error), *self.lines])) from error
