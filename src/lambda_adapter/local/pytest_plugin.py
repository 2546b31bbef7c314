"""Fixtures for tests of one's own application, behind a gateway and on Lambda.

pytest loads this in every run, so it imports the rest only once a fixture is used.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, Unpack

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lambda_adapter.local.option_table import AppOptions
    from lambda_adapter.local.testing import LambdaApp


class StartsApps(Protocol):
    """Starts an application; the options are those of ``option_table.AppOptions``."""

    def __call__(
        self, command: str | Sequence[str], **options: Unpack[AppOptions]
    ) -> LambdaApp:
        """Start it, and return an HTTP client of its gateway."""


@pytest.fixture
def lambda_app() -> Iterator[StartsApps]:
    """Start applications that end with the test: ``lambda_app("gunicorn app:app")``."""
    yield from _starting()


@pytest.fixture(scope="session")
def lambda_app_factory() -> Iterator[StartsApps]:
    """Start applications that end with the run, for fixtures of a wider scope."""
    yield from _starting()


def _starting() -> Iterator[StartsApps]:
    with ExitStack() as stack:

        def start(
            command: str | Sequence[str], **options: Unpack[AppOptions]
        ) -> LambdaApp:
            from lambda_adapter.local.testing import open_app

            return stack.enter_context(open_app(command, **options))

        yield start
