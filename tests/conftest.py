"""Fixtures."""

from collections.abc import AsyncIterator

import pytest

from tests.fake_runtime_api import FakeRuntimeApi, open_fake_runtime_api


@pytest.fixture
async def runtime() -> AsyncIterator[FakeRuntimeApi]:
    """Lambda's side of the wire."""
    async with open_fake_runtime_api() as fake:
        yield fake
