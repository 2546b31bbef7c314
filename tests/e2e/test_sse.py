"""The example of server-sent events, on uvicorn, behind the zipapp."""

import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

from tests.adapter import open_adapter
from tests.catalogue import HOST, KINDS
from tests.e2e.applications import (
    example_on_uvicorn,
    need,
    open_streaming_example,
)
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import FakeRuntimeApi
from tests.local.browser import Browser, open_browser
from tests.ports import free_port

ENDLESS = 1_000_000


@pytest.fixture
async def sse(runtime) -> AsyncIterator[FakeRuntimeApi]:
    """Serve the example as on Lambda, with events in quick succession."""
    port = free_port()
    environ: dict[str, Any] = {
        "AWS_LWA_INVOKE_MODE": "response_stream",
        "INTERVAL": "0.02",
        "LAST": str(ENDLESS),
        "PYTHONDONTWRITEBYTECODE": "1",
        **SHIV_ROOT,
    }
    async with open_adapter(
        runtime.address,
        example_on_uvicorn("sse", port),
        adapter=[str(BOOTSTRAP)],
        port=port,
        **environ,
    ):
        await runtime.wait(lambda: runtime.polls > 0)  # a deadline counts from then on
        yield runtime


def ids(posted):
    """Return the numbers of the events that have come."""
    found = re.findall(rb"^id: (\d+)$", posted.content(), re.MULTILINE)
    return [int(number) for number in found]


def head(posted):
    """Return the headers of a stream's prelude, of whichever kind it is."""
    prelude = posted.prelude()
    several = prelude.get("multiValueHeaders", {})
    fields = {name: values[0] for name, values in several.items()}
    return prelude.get("headers", {}) | fields


async def two_events(runtime, number):
    """Return the stream of this number once its second event has come."""

    def streams():
        return [each for each in runtime.arriving if each.kind == "response"]

    await runtime.wait(lambda: len(streams()) == number and len(ids(streams()[-1])) > 1)
    assert not streams()[-1].complete
    return streams()[-1]


@pytest.mark.parametrize("kind", ["function_url", "rest_api"])
async def test_stream(sse, kind):
    """Events arrive one by one; a stream ends in time, and another continues it."""
    event = KINDS[kind]("GET", "/ticks")
    deadline = str(int((time.time() + 3) * 1000))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: sse.invoke(event, lambda_runtime_deadline_ms=deadline)
        )
        first = await two_events(sse, 1)

    last = ids(first)[-1]
    assert (first.kind, first.trailers) == ("response", [])  # it did not break off
    assert ids(first) == list(range(1, last + 1))
    assert first.content().startswith(b"retry: 1000\n\nid: 1\ndata: tick 1 of")
    assert head(first)["content-type"].startswith("text/event-stream")
    assert head(first)["cache-control"] == "no-store"
    assert head(first)["x-accel-buffering"] == "no"

    again = KINDS[kind]("GET", "/ticks", None, {"last-event-id": str(last)})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sse.invoke, again)
        second = await two_events(sse, 2)
        nursery.cancel_scope.cancel()

    assert ids(second)[:2] == [last + 1, last + 2]


async def test_end(sse):
    """After the last event, a client is asked not to reconnect."""
    fields = {"host": HOST, "last-event-id": str(ENDLESS)}

    posted = await sse.invoke(KINDS["function_url"]("GET", "/ticks", None, fields))

    assert (posted.prelude()["statusCode"], posted.content()) == (204, b"")


async def test_page(sse):
    """The page requests events at a relative URL, whatever the stage."""
    posted = await sse.invoke(KINDS["rest_api"]("GET", "/"))

    assert b'new EventSource("ticks")' in posted.content()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A page in a browser, or a skip without one."""
    need("chromium")
    with open_browser() as browser:
        yield browser


def test_browser(browser):
    """A browser reconnects when a stream ends, until it has the last event."""
    quick = {"INTERVAL": "0.1", "LAST": "15"}
    with open_streaming_example("sse", timeout=2, **quick) as app:
        browser.go(f"{app.base_url}/")
        browser.wait("document.getElementById('tick').textContent == 'tick 15 of 15'")
        browser.wait("ticks.readyState == EventSource.CLOSED")
        events: list[Any] = [each.event for each in reversed(app.invocations)]

    seen = [
        int(event["headers"].get("last-event-id", 0))
        for event in events
        if event["rawPath"] == "/ticks"
    ]
    assert (seen[0], seen[-1], len(seen)) == (0, 15, 3)
    assert 0 < seen[1] < 15
