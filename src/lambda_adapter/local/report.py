"""The interface for reporting what happens to a function."""

from typing import Protocol

from lambda_adapter.local.invocation import Invocation


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
