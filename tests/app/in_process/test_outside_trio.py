"""``outside_trio``: synchronous code of an application in trio's thread."""

import asyncio

import pytest
import sniffio

from lambda_adapter.app.in_process.outside_trio import call_outside_trio


async def which():
    """Return the library that anyio and httpx take for the running one."""
    return sniffio.current_async_library()


async def test_run_of_asyncio():
    """A run of asyncio within a call is recognised as asyncio's."""
    assert call_outside_trio(lambda: asyncio.run(which())) == "asyncio"
    assert await which() == "trio"


async def test_call_that_raises():
    """After a call that raises, trio is the running library again."""
    with pytest.raises(ZeroDivisionError):
        call_outside_trio(lambda: 1 / 0)

    assert await which() == "trio"
