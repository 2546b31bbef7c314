"""``wire``: bytes out and in, and the two ways of waiting for them."""

import os
import signal
import statistics

import trio
import trio.testing

from lambda_adapter.http.wire import KERNEL_TIMEOUT
from tests.adapter import open_adapter
from tests.fake_runtime_api import NEXT
from tests.scripted_app import OK, Answer, open_app, open_server, receive

EVENT = {"version": "2.0", "requestContext": {"http": {"method": "GET"}}}
LATE = 32
"""Invocations that may be served before something else is noticed."""


async def test_invocations_overlap(runtime):
    """Invocations that are served at once wait for their application, not in line."""
    loops, in_flight = 8, 0
    seen: list[int] = []

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal in_flight
        async with stream:
            while await receive(stream):
                in_flight += 1
                seen.append(in_flight)
                await trio.sleep(0.02)
                in_flight -= 1
                await stream.send_all(OK)

    runtime.max_polls = loops
    async with (
        open_server(serve) as port,
        open_adapter(
            runtime.address, [], port=port, AWS_LAMBDA_MAX_CONCURRENCY=str(loops)
        ),
    ):
        await runtime.wait(lambda: runtime.polls == loops)
        seen.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(12 * loops):
                nursery.start_soon(runtime.invoke, EVENT)

    assert statistics.median(seen) > loops / 2


async def serve_on(runtime) -> None:
    """Have invocations follow each other at once, and for ever."""
    while True:
        await runtime.invoke(EVENT)


async def test_signal_while_responses_come_quickly(runtime):
    """SIGTERM is noticed within a few invocations, however quickly they follow."""
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(serve_on, runtime)
        await app.wait_requests(3 * LATE)
        before = len(app.requests)
        adapter.process.send_signal(signal.SIGTERM)
        await adapter.wait()
        served = len(app.requests) - before
        nursery.cancel_scope.cancel()

    assert served <= LATE


async def test_end_while_responses_come_quickly(runtime, tmp_path):
    """The application's end is noticed however quickly invocations follow."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = ["sh", "-c", f"read line < {fifo}; exit 7"]
    async with (
        open_app() as app,
        open_adapter(runtime.address, child, port=app.port) as adapter,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(serve_on, runtime)
        await app.wait_requests(3 * LATE)
        before = len(app.requests)
        fifo.write_text("end\n")
        assert await adapter.wait() == 1
        served = len(app.requests) - before
        nursery.cancel_scope.cancel()

    assert served <= 2 * LATE  # a shell ends in the meantime
    assert adapter.log.count("exit") >= 1


async def test_slow_application(runtime):
    """A response that takes longer than any wait in the kernel arrives all the same."""
    async with open_app() as app, open_adapter(runtime.address, [], port=app.port):
        await runtime.wait_posted(NEXT)
        app.answers.append(Answer(b"", "more"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.invoke, EVENT)
            await app.wait_requests(2)
            await trio.testing.wait_all_tasks_blocked(2 * KERNEL_TIMEOUT)
            await app.say(OK, "keep")
            posted = await runtime.wait_posted("/response")

    assert posted.json()["body"] == "ok"
