"""``wire``: waits for a socket, each until its deadline, and the timer they share."""

import contextlib
import math
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import wait_all_tasks_blocked

from lambda_adapter.http.timer import share_timer
from lambda_adapter.http.wire import KERNEL_TIMEOUT, RECEIVE_SIZE, Wire
from tests.adapter import open_adapter
from tests.fake_runtime_api import NEXT
from tests.scripted_app import OK, Answer, open_app, open_server, receive

EVENT = {"version": "2.0", "requestContext": {"http": {"method": "GET"}}}
LATE = 32
"""Invocations that may be served before something else is noticed."""


def blocking_sockets(pid: int) -> int:
    """Return how many of a process's sockets it waits for in the kernel."""
    files = Path(f"/proc/{pid}/fd")
    sockets = [
        each.name for each in files.iterdir() if os.readlink(each)[:6] == "socket"
    ]
    infos = [Path(f"/proc/{pid}/fdinfo/{each}").read_text() for each in sockets]
    flags = [re.search(r"^flags:\s+(\d+)$", info, re.MULTILINE) for info in infos]
    return sum(not int(each[1], 8) & os.O_NONBLOCK for each in flags if each)


async def test_invocations_overlap(runtime):
    """With several invocations at a time, none blocks the thread of the others.

    All of them are with the application at the same time, and no socket blocks.
    """
    loops, in_flight, together = 8, 0, trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal in_flight
        async with stream:
            while request := await receive(stream):
                if request.line.startswith(b"GET /event "):
                    in_flight += 1
                    if in_flight == loops:
                        together.set()
                    await together.wait()
                await stream.send_all(OK)

    runtime.max_polls = loops
    async with (
        open_server(serve) as port,
        open_adapter(
            runtime.address, [], port=port, AWS_LAMBDA_MAX_CONCURRENCY=str(loops)
        ) as adapter,
    ):
        await runtime.wait(lambda: runtime.polls == loops)
        async with trio.open_nursery() as nursery:
            for _ in range(loops):
                nursery.start_soon(runtime.invoke, EVENT | {"rawPath": "/event"})
            await together.wait()
            blocking = blocking_sockets(adapter.process.pid)

    assert blocking == 0


async def test_one_invocation_at_a_time_waits_in_the_kernel(runtime):
    """With one invocation at a time, both sockets wait in the kernel."""
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        await runtime.invoke(EVENT)

        assert blocking_sockets(adapter.process.pid) == 2


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


class Pair:
    """A wire, and the socket at its far end."""

    def __init__(self) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.wire = Wire(near)

    def close(self) -> None:
        self.wire.close()
        self.far.close()


@pytest.fixture
async def pairs(nursery: trio.Nursery) -> AsyncIterator[list[Pair]]:
    """Wires of a run that has a timer."""
    share_timer(nursery)
    pairs = [Pair() for _ in range(3)]
    yield pairs
    for pair in pairs:
        pair.close()


def fill(far: socket.socket) -> None:
    """Send as much as the socket's buffer holds."""
    with contextlib.suppress(BlockingIOError):
        while True:
            far.send(bytes(16_384), socket.MSG_DONTWAIT)


async def test_more_is_received_where_more_waits(pairs: list[Pair]):
    """A peer that has more ready is read in larger pieces, until it has less again."""
    pair = pairs[0]
    fill(pair.far)
    first, second = [await pair.wire.receive() for _ in range(2)]
    assert len(first) == RECEIVE_SIZE < len(second)

    while pair.wire.is_readable():
        await pair.wire.receive()
    for _ in range(8):
        pair.far.send(b"little")
        assert await pair.wire.receive() == b"little"
    fill(pair.far)

    assert len(await pair.wire.receive()) == RECEIVE_SIZE


async def late(pair: Pair, seconds: float, passed: list[float]) -> None:
    """Wait for what does not come, and note when the deadline has passed."""
    started = trio.current_time()
    with pytest.raises(trio.TooSlowError):
        await pair.wire.receive(started + seconds)
    passed.append(trio.current_time() - started)


@pytest.mark.parametrize("seconds", [math.inf, 5])
async def test_bytes_before_the_deadline(
    clock, nursery: trio.Nursery, pairs: list[Pair], seconds: float
):
    """Bytes that arrive before the deadline are received."""
    pair = pairs[0]

    async def send() -> None:
        await wait_all_tasks_blocked()
        pair.far.send(b"here")

    nursery.start_soon(send)
    assert await pair.wire.receive(trio.current_time() + seconds) == b"here"


@pytest.mark.parametrize(
    "deadlines", [[3, 2, 1], [1, 2, 3], [2, 2, 2], [0, 5, 5], [-1, 5, 5]]
)
async def test_each_deadline(clock, pairs: list[Pair], deadlines: list[float]):
    """Each wait ends at its own deadline, whatever the others' are."""
    passed: list[float] = []

    async with trio.open_nursery() as waits:
        for pair, seconds in zip(pairs, deadlines, strict=True):
            waits.start_soon(late, pair, seconds, passed)

    expected = [max(seconds, 0) for seconds in sorted(deadlines)]
    assert passed == pytest.approx(expected, abs=0.1)


async def test_one_wait_after_the_other(clock, pairs: list[Pair]):
    """A deadline ends only its own wait, and no earlier or later one."""
    pair, other = pairs[:2]
    passed: list[float] = []
    for seconds in (1, 3, 2):
        other.far.send(b"x")
        assert await other.wire.receive(trio.current_time() + 0.5) == b"x"
        await late(pair, seconds, passed)

    pair.far.send(b"x")
    assert await pair.wire.receive(trio.current_time() + 1) == b"x"
    assert passed == pytest.approx([1, 3, 2], abs=0.1)


async def test_close_while_waiting(clock, nursery: trio.Nursery, pairs: list[Pair]):
    """A wire that is closed while its bytes are waited for is closed, and not late."""

    async def close() -> None:
        await wait_all_tasks_blocked()
        pairs[0].wire.close()

    nursery.start_soon(close)
    with pytest.raises(trio.ClosedResourceError):
        await pairs[0].wire.receive(trio.current_time() + 5)


async def test_cancelled_while_waiting(clock, pairs: list[Pair]):
    """Cancelling a wait ends it, and removes its deadline."""
    with trio.move_on_after(1):
        await pairs[0].wire.receive(trio.current_time() + 5)

    with trio.move_on_after(10):
        await pairs[1].wire.receive()
    pairs[0].far.send(b"x")
    assert await pairs[0].wire.receive() == b"x"


@pytest.mark.parametrize(("seconds", "expected"), [(10, 9), (1, 0.5), (0, 0)])
async def test_nearly_late(clock, seconds, expected):
    """A wait reports that it is nearly late, at most a second before its deadline."""
    reader, peer = socket.socketpair()
    with reader, peer:
        wire = Wire(reader)
        started = trio.current_time()
        said: list[float] = []
        wire.nearly_late = lambda: said.append(trio.current_time() - started)
        with pytest.raises(trio.TooSlowError):
            await wire.wait_readable(started + seconds)

    assert said == pytest.approx([expected], abs=0.01)
    assert trio.current_time() - started == pytest.approx(seconds, abs=0.01)


async def test_not_nearly_late(clock, nursery: trio.Nursery):
    """A wait that ends in time reports nothing."""
    reader, peer = socket.socketpair()
    with reader, peer:
        wire = Wire(reader)
        said: list[str] = []
        wire.nearly_late = lambda: said.append("late")
        peer.send(b"in time")
        await wire.wait_readable(trio.current_time() + 1)

    assert said == []
