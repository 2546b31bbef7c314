"""Fixtures."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings
from trio.testing import MockClock

from lambda_adapter.observe.logs import log
from tests.adapter import measured
from tests.fake_runtime_api import FakeRuntimeApi, open_fake_runtime_api

# Few examples each time, others every time; where nobody looks twice, the same ones.
settings.register_profile("brief", deadline=None, max_examples=25)
settings.register_profile("ci", settings.get_profile("brief"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "brief")

MOST_AT_ONCE = 16
"""More would wait for the longest file."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two for each processor: most tests wait for processes, or for a time."""
    return min(2 * (os.cpu_count() or 1), MOST_AT_ONCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what may take longest: at the end, one processor would wait for it."""
    longest: dict[object, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        seconds = limit.args[0] if limit else bool(item.get_closest_marker("e2e"))
        longest[item.path] = max(longest.get(item.path, 0), seconds)
    items.sort(key=lambda item: longest[item.path], reverse=True)


@pytest.fixture
async def runtime() -> AsyncIterator[FakeRuntimeApi]:
    """Lambda's side of the wire."""
    async with open_fake_runtime_api() as fake:
        yield fake


@pytest.fixture
def clock(autojump_clock: MockClock) -> MockClock:
    """A clock that jumps to the next deadline once the sockets are quiet."""
    autojump_clock.autojump_threshold = 0.02
    return autojump_clock


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, the adapter's own lines too, which no other logger passes on."""
    level = log.level
    log.addHandler(caplog.handler)
    yield caplog
    log.removeHandler(caplog.handler)
    log.setLevel(level)


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """Keep coverage out of the processes that a test starts.

    It takes CPU and memory, and writes beside the sources: a sandbox forbids that.
    """
    kept = measured()
    for name in kept:
        del os.environ[name]
    yield
    os.environ.update(kept)
