"""The example of server-sent events, on uvicorn, behind the zipapp."""

import re
import sys
import time
from pathlib import Path

import pytest
import trio

from tests.adapter import free_port, open_adapter
from tests.catalogue import HOST, KINDS
from tests.e2e.applications import EXAMPLES
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP

UVICORN = str(Path(sys.executable).with_name("uvicorn"))
ENDLESS = 1_000_000


@pytest.fixture
async def sse(runtime):
    """Serve the example as on Lambda, with events in quick succession."""
    port = free_port()
    options = ["--port", str(port), "--app-dir", str(EXAMPLES / "sse")]
    async with open_adapter(
        runtime.address,
        [UVICORN, *options, "app:app"],
        adapter=[str(BOOTSTRAP)],
        port=port,
        AWS_LWA_INVOKE_MODE="response_stream",
        INTERVAL="0.02",
        LAST=str(ENDLESS),
        PYTHONDONTWRITEBYTECODE="1",
        **SHIV_ROOT,
    ):
        yield runtime


async def stream(runtime, kind, seconds, last=None):
    """Follow a stream until it ends, which it must not before its second event."""
    fields = {"host": HOST} | ({"last-event-id": str(last)} if last else {})
    event = KINDS[kind]("GET", "/ticks", None, fields)
    deadline = str(int((time.time() + seconds) * 1000))
    before = len(runtime.arriving)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: runtime.invoke(event, lambda_runtime_deadline_ms=deadline)
        )

        def second_event():
            (*_, posted) = [None, *runtime.arriving[before:]]
            return posted and posted.content().count(b"id: ") > 1

        await runtime.wait(second_event)
        posted = runtime.arriving[-1]
        assert not posted.complete
    return posted


def ids(posted):
    """Return the numbers of the events."""
    found = re.findall(rb"^id: (\d+)$", posted.content(), re.MULTILINE)
    return [int(number) for number in found]


def head(posted):
    """Return the fields of a stream's prelude, of whichever kind it is."""
    prelude = posted.prelude()
    several = prelude.get("multiValueHeaders", {})
    return prelude.get("headers", {}) | {
        name: value[0] for name, value in several.items()
    }


@pytest.mark.parametrize("kind", ["function_url", "rest_api"])
async def test_stream(sse, kind):
    """Events arrive one by one; a stream ends in time, and the next one goes on."""
    first = await stream(sse, kind, 2)
    second = await stream(sse, kind, 2, last=ids(first)[-1])

    assert first.kind == second.kind == "response"
    assert [*first.trailers, *second.trailers] == []  # neither of them broke off
    numbers = ids(first) + ids(second)
    assert numbers == list(range(1, len(numbers) + 1))
    assert first.content().startswith(b"retry: 1000\n\nid: 1\ndata: tick 1 of")
    fields = head(first)
    assert fields["content-type"].startswith("text/event-stream")
    assert (fields["cache-control"], fields["x-accel-buffering"]) == ("no-store", "no")


async def test_end(sse):
    """After the last event, a client is told not to come again."""
    fields = {"host": HOST, "last-event-id": str(ENDLESS)}

    posted = await sse.invoke(KINDS["function_url"]("GET", "/ticks", None, fields))

    assert (posted.prelude()["statusCode"], posted.content()) == (204, b"")


async def test_page(sse):
    """The page asks for the events beside it, whatever stage is in its path."""
    posted = await sse.invoke(KINDS["rest_api"]("GET", "/"))

    assert b'new EventSource("ticks")' in posted.content()
