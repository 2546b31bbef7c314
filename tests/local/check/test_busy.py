"""Timeouts on a machine that is busy."""

import trio
import trio.testing

from lambda_adapter.local.check.busy import MOST, move_on_after


async def test_an_idle_machine(autojump_clock: trio.testing.MockClock):
    """A timeout has its own length while nothing waits for a CPU."""
    async with move_on_after(2, lambda: 7.0) as scope:
        await trio.Event().wait()

    assert scope.cancelled_caught
    assert 2 <= trio.current_time() < 2.3


async def test_a_busy_machine(autojump_clock: trio.testing.MockClock):
    """A timeout is extended by the waits for a CPU, up to a limit."""
    async with move_on_after(2, lambda: trio.current_time() / 2) as half:
        await trio.Event().wait()
    took = trio.current_time()
    async with move_on_after(2, trio.current_time) as whole:
        await trio.Event().wait()

    assert half.cancelled_caught
    assert whole.cancelled_caught
    assert 3.5 < took < 4.5
    assert trio.current_time() - took <= 2 * MOST + 0.3
