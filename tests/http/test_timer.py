"""``timer``: one timer for the deadlines of many waits."""

import math
import socket
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lambda_adapter.http.timer import share_timer
from lambda_adapter.http.wire import Wire


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
    """Bytes that come before the deadline are received, with one or without."""
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
    """A deadline ends the wait that it is of, and none of an earlier or a later one."""
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
    """A wait that is cancelled is over, and its deadline goes with it."""
    with trio.move_on_after(1):
        await pairs[0].wire.receive(trio.current_time() + 5)

    with trio.move_on_after(10):
        await pairs[1].wire.receive()
    pairs[0].far.send(b"x")
    assert await pairs[0].wire.receive() == b"x"
