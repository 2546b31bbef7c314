"""Fixtures for testing an application behind a gateway and on Lambda.

pytest loads this module in every run, so it imports the others only when a fixture is
used.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar, Unpack

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lambda_adapter.local.check.testing import Checked
    from lambda_adapter.local.microvm.testing import MicroVMApp
    from lambda_adapter.local.option_table import AppOptions, MicroVMOptions
    from lambda_adapter.local.testing import LambdaApp

    App = LambdaApp | MicroVMApp

P = ParamSpec("P")
A = TypeVar("A", bound="App")


class StartsApps(Protocol):
    """Starts an application; the options are those of ``option_table.AppOptions``."""

    def __call__(
        self, command: str | Sequence[str], **options: Unpack[AppOptions]
    ) -> LambdaApp:
        """Start it, and return an HTTP client of its gateway."""


_APPS = pytest.StashKey[dict["App", int]]()
"""The running applications, and the last invocation of each before a test."""


@pytest.fixture
def lambda_app(pytestconfig: pytest.Config) -> Iterator[StartsApps]:
    """Start applications that end with the test: ``lambda_app("gunicorn app:app")``."""
    yield from _starting(pytestconfig, _open_app)


@pytest.fixture(scope="session")
def lambda_app_factory(pytestconfig: pytest.Config) -> Iterator[StartsApps]:
    """Start applications that end with the test run, for fixtures of a wider scope."""
    yield from _starting(pytestconfig, _open_app)


class StartsMicroVMs(Protocol):
    """Starts MicroVMs; the options are those of ``option_table.MicroVMOptions``."""

    def __call__(
        self, command: str | Sequence[str], **options: Unpack[MicroVMOptions]
    ) -> MicroVMApp:
        """Build and run one, and return an HTTP client of it."""


@pytest.fixture
def lambda_microvm(pytestconfig: pytest.Config) -> Iterator[StartsMicroVMs]:
    """Start MicroVMs that end with the test: ``lambda_microvm("gunicorn app:app")``."""
    yield from _starting(pytestconfig, _open_microvm)


class ChecksApps(Protocol):
    """Checks an application; see docs/local-check.md."""

    def __call__(
        self,
        command: str | Sequence[str],
        *,
        memory: int = 512,
        paths: Sequence[str] = (),
        quick: bool = True,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Checked:
        """Run the check, and return its findings."""


@pytest.fixture
def lambda_check() -> ChecksApps:
    """Check whether an application would run: ``lambda_check("gunicorn app:app")``."""
    from lambda_adapter.local.check.testing import check_app

    return check_app


def _open_app(
    command: str | Sequence[str], **options: Unpack[AppOptions]
) -> AbstractContextManager[LambdaApp]:
    from lambda_adapter.local.testing import open_app

    return open_app(command, **options)


def _open_microvm(
    command: str | Sequence[str], **options: Unpack[MicroVMOptions]
) -> AbstractContextManager[MicroVMApp]:
    from lambda_adapter.local.microvm.testing import open_microvm_app

    return open_microvm_app(command, **options)


def _starting(
    config: pytest.Config, open_one: Callable[P, AbstractContextManager[A]]
) -> Iterator[Callable[P, A]]:
    """Yield a function that starts applications, and end them after that."""
    apps = config.stash.setdefault(_APPS, {})
    with ExitStack() as stack:

        def start(*args: P.args, **options: P.kwargs) -> A:
            __tracebackhide__ = True
            from lambda_adapter.local.ports import SetupError
            from lambda_adapter.local.read_options import BadOptionError

            try:
                app = stack.enter_context(open_one(*args, **options))
            except (BadOptionError, SetupError) as error:
                # A failure should point to the test's own line, not into this function.
                raise type(error)(str(error)) from None
            apps[app] = 0
            stack.callback(apps.pop, app)
            return app

        yield start


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Record the invocations before a test."""
    apps = item.config.stash.get(_APPS, {})
    for app in apps:
        apps[app] = max((each.number for each in app.invocations), default=0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the invocations of a test that failed, and their log, to its report."""
    report = yield
    if report.failed:
        for app, before in item.config.stash.get(_APPS, {}).items():
            if text := app.describe_since(before):
                report.sections.append((f"Invocations of {app!r}", text))
    return report
