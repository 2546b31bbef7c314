"""Fixtures: a running invoke loop."""

import pytest

from tests.serve.invoke_loop.function import STREAM_MODE, open_function


@pytest.fixture
async def function(runtime):
    """An invoke loop between a fake Runtime API and an application."""
    async with open_function(runtime) as function:
        yield function


@pytest.fixture
async def stream(runtime):
    """An invoke loop in stream mode."""
    async with open_function(runtime, STREAM_MODE) as function:
        yield function
