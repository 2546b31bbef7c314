"""What there is to tell, and who may want to hear it."""

from typing import Protocol

from lambda_adapter.local.invocation import Invocation


class Report(Protocol):
    """Where the function's life is told."""

    def ready(self, init_ms: float) -> None:
        """Tell that an environment is initialised."""

    def line(self, text: str) -> None:
        """Tell what the function has printed."""

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Tell what became of an invocation; ``reset``: its environment is ended."""

    def notice(self, text: str) -> None:
        """Tell what somebody should know."""

    def failure(self, text: str) -> None:
        """Tell what somebody has to put right."""


class Silence:
    """A report for nobody."""

    def ready(self, init_ms: float) -> None:
        """Tell nobody."""

    def line(self, text: str) -> None:
        """Tell nobody."""

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Tell nobody."""

    def notice(self, text: str) -> None:
        """Tell nobody."""

    def failure(self, text: str) -> None:
        """Tell nobody."""
