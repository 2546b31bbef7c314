"""Fixtures: one function behind every gateway, started once for all tests."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from lambda_adapter.local.function import Function
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.guard import Guard
from lambda_adapter.local.inspector import Page
from lambda_adapter.local.options import Options, function_environ
from lambda_adapter.local.report import Silence
from lambda_adapter.local.session import listen, serve_gateway
from lambda_adapter.local.testing import Portal, opened_in_thread
from tests.adapter import ENVIRON
from tests.ports import free_ports

APP = [sys.executable, str(Path(__file__).parent.parent / "programs" / "desk.py")]
"""The application of these tests."""


class Gateways:
    """A function, and the port of each gateway before it."""

    def __init__(self, function: Function, ports: dict[str, int]) -> None:
        self.function = function
        self.ports = ports


class Notices(Silence):
    """Keeps what somebody should know."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def function_options(**env: str) -> Options:
    """Return a function, whose application has a free port."""
    environ = function_environ({**ENVIRON, **env}, app_port=free_ports(1)[0])
    return Options(tuple(APP), environ, port=0, timeout=20)


@asynccontextmanager
async def open_gateways(options: Options) -> AsyncIterator[Gateways]:
    """Run one function behind every kind of gateway."""
    function = Function(options, Silence())
    ports: dict[str, int] = {}
    async with trio.open_nursery() as nursery:
        await nursery.start(function.run)
        for name, kind in GATEWAYS.items():
            front = listen(0)
            ports[name] = front.getsockname()[1]
            page = Page(function, ports[name])
            nursery.start_soon(serve_gateway, function, kind(), page, front, Guard())
        await function.start()
        yield Gateways(function, ports)
        nursery.cancel_scope.cancel()


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[Gateways, Portal]]:
    """The function, and the way into its loop."""
    options = function_options()
    with opened_in_thread(lambda: open_gateways(options)) as running:
        yield running


@pytest.fixture
def gateways(running: tuple[Gateways, Portal]) -> Gateways:
    """The function whose replies are whole."""
    return running[0]


@pytest.fixture(scope="session")
def failing() -> Iterator[Gateways]:
    """A function whose invocations fail where the application says 500."""
    options = function_options(AWS_LWA_ERROR_STATUS_CODES="500")
    with opened_in_thread(lambda: open_gateways(options)) as (gateways, _):
        yield gateways


@pytest.fixture(scope="session")
def streaming() -> Iterator[Gateways]:
    """A function whose replies are streamed, as far as its gateways take streams."""
    options = function_options(AWS_LWA_INVOKE_MODE="response_stream")
    with opened_in_thread(lambda: open_gateways(options)) as (gateways, _):
        yield gateways
