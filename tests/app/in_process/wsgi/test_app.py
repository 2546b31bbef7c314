"""``app``: a WSGI application in the adapter's process, from its start to its end."""

import json
import signal

import pytest
import trio

from tests.adapter import open_adapter
from tests.app.calls import http_event, serve_beside_a_stuck_one
from tests.app.in_process.asgi.test_app import PROGRAMS, soon
from tests.fake_runtime_api import INIT_ERROR, NEXT


def open_app(runtime, *, name="wsgi_app:app", **environ):
    """Start the adapter with an application in its process."""
    command = ["--app-dir", PROGRAMS, "--wsgi", name]
    return open_adapter(runtime.address, command, **environ)


@pytest.mark.parametrize("inline", ["false", "true"])
async def test_life(runtime, inline):
    """An application is served from its import to SIGTERM."""
    async with open_app(runtime, AWS_LWA_WSGI_INLINE=inline) as adapter:
        posted = [
            await runtime.invoke(http_event(f"/{path}", "a=b"))
            for path in ("show/a%20b", "thread", "raises", "stream")
        ]
        adapter.process.send_signal(signal.SIGTERM)

        assert await adapter.wait() == 0

    shown = json.loads(str(posted[0].json()["body"]))
    assert (shown["PATH_INFO"], shown["QUERY_STRING"]) == ("/show/a b", "a=b")
    assert shown["aws.context"] == "request-1"
    assert posted[1].json()["body"] == ("main" if inline == "true" else "another")
    assert [each.json()["statusCode"] for each in posted] == [200, 200, 500, 200]


async def test_thread_that_does_not_come_back(runtime):
    """A thread that hangs ends the process, once its client has a response."""
    async with open_app(runtime) as adapter:
        await runtime.wait(lambda: runtime.polls == 1)
        late = await runtime.invoke(http_event("/hangs"), **soon(0.4))
        status = await adapter.wait()

    assert (late.json()["statusCode"], status) == (504, 1)
    assert "Runtime.AppStuckError" in adapter.log
    assert sum(each.target == NEXT for each in runtime.posted) == 1


async def test_several_invocations_at_once(runtime):
    """Each invoke loop has a thread, and ``wsgi.multithread`` is true."""
    runtime.max_polls = 4
    async with open_app(runtime, AWS_LAMBDA_MAX_CONCURRENCY="4"):
        bodies = []

        async def invoke(number):
            posted = await runtime.invoke(http_event("/meets", str(number)))
            bodies.append(posted.json()["body"])

        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(invoke, number)
        shown = await runtime.invoke(http_event("/show"))

    assert sorted(bodies) == ["0", "1", "2", "3"]
    assert json.loads(str(shown.json()["body"]))["wsgi.multithread"] is True


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_one_that_can_not_be_ended_among_several(runtime, tmp_path, mode):
    """Requests beside one whose thread hangs are served; then the process ends."""
    runtime.max_polls = 5
    async with open_app(
        runtime, AWS_LAMBDA_MAX_CONCURRENCY="5", AWS_LWA_INVOKE_MODE=mode
    ) as adapter:
        statuses, status = await serve_beside_a_stuck_one(
            runtime, adapter, "/hangs", tmp_path / "file"
        )

    assert statuses == {0: 200, 1: 200, 2: 200, "stuck": 504}
    assert status == 1
    assert adapter.log.count("Runtime.AppStuckError") == 1


async def test_stream(runtime):
    """A response is streamed to Lambda while it arrives."""
    async with open_app(runtime, AWS_LWA_INVOKE_MODE="response_stream"):
        posted = await runtime.invoke(http_event("/stream"))

    assert posted.content() == b"piece 0\npiece 1\npiece 2\n"


async def test_import_error(runtime):
    """An init error says why an application did not start."""
    async with open_app(runtime, name="wsgi_app:missing") as adapter:
        status = await adapter.wait()

    posted = await runtime.wait_posted(INIT_ERROR)
    assert status == 1
    assert posted.json()["errorType"] == "Runtime.AppImportError"
