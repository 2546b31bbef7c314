"""``stepped_loop``: asyncio's own loop, one step after the other."""

import asyncio
import math
import socket
import sys
import time

import pytest

from lambda_adapter.app.in_process.asgi.stepped_loop import SHARE, SteppedLoop


def end(loop):
    """Cancel what still runs, and close the loop."""
    if tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()


@pytest.fixture
def loop(request):
    """A loop that may be busy for as long as it wants, or for a given share."""
    loop = SteppedLoop(getattr(request, "param", math.inf))
    yield loop
    end(loop)


def test_nothing_to_do(loop):
    """A loop without anything to do has no next step."""
    assert loop.step() is None


def test_runs_until_it_would_wait(loop):
    """A step does everything that is ready, and returns when more is due."""
    done = []

    async def run():
        done.append(1)
        await asyncio.sleep(0)
        done.append(2)
        await asyncio.sleep(3600)
        done.append(3)

    task = loop.create_task(run())
    timeout = loop.step()

    assert done == [1, 2]
    assert 0 < timeout <= 3600
    assert not task.done()


@pytest.mark.parametrize("loop", [SHARE], indirect=True)
def test_share(loop):
    """A loop that always has something to do stops when its share is used."""

    async def spin():
        while True:  # noqa: ASYNC110 - what must not starve trio
            await asyncio.sleep(0)

    _task = loop.create_task(spin())
    started = time.monotonic()

    assert loop.step() == 0
    assert time.monotonic() - started >= SHARE


def test_descriptor_becomes_readable(loop):
    """Input that asyncio waits for makes the loop's own descriptor readable."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        task = loop.create_task(loop.sock_recv(ours, 10))

        assert loop.step() is None
        theirs.send(b"data")
        assert loop.selector.select(0)
        loop.step()

        assert task.result() == b"data"


def test_who_runs_the_loop_waits_in_it(loop):
    """A loop that the application itself runs, at import, waits in its selector."""

    async def later():
        await asyncio.sleep(0.01)
        return "later"

    assert loop.run_until_complete(later()) == "later"
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert loop.step() is None


def test_steps_go_their_own_way(loop):
    """The asyncio of this Python has the private names by which a step costs less."""
    assert loop.is_lean


def test_debug_mode_is_left_to_asyncio(loop):
    """In debug mode, asyncio's own way runs, which reports slow callbacks."""
    loop.set_debug(True)

    assert not loop.is_lean


class Replaced(SteppedLoop):
    """A loop whose ``run_forever`` an application has replaced."""

    def run_forever(self):
        super().run_forever()


@pytest.fixture(params=[SteppedLoop, Replaced])
def either(request):
    """A loop whose steps go their own way, and one whose steps go asyncio's."""
    loop = request.param(math.inf)
    assert loop.is_lean is (request.param is SteppedLoop)
    yield loop
    end(loop)


def test_a_coroutine_sees_a_loop_that_runs(either):
    """Within a step, the loop is the running one, and afterwards none is."""
    seen = []

    async def look():
        seen.append((asyncio.get_running_loop(), either.is_running()))

    _task = either.create_task(look())
    either.step()

    assert seen == [(either, True)]
    assert not either.is_running()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_hooks_of_generators(either):
    """The loop knows the asynchronous generators that are first iterated in a step."""
    before = sys.get_asyncgen_hooks()

    async def generate():
        yield 1
        yield 2

    async def begin():
        await anext(generator)

    generator = generate()
    _task = either.create_task(begin())
    either.step()

    assert sys.get_asyncgen_hooks() == before
    either.run_until_complete(either.shutdown_asyncgens())
    with pytest.raises(StopAsyncIteration):
        either.run_until_complete(anext(generator))


def test_exit_in_a_callback(either):
    """An exit leaves the step, and what was ready beside it runs in the next one."""
    done: list[str] = []
    either.call_soon(sys.exit, 3)
    either.call_soon(done.append, "after")

    with pytest.raises(SystemExit):
        either.step()
    assert not either.is_running()
    either.step()

    assert done == ["after"]


def test_stop_in_a_callback(either):
    """A callback that stops the loop ends a step, and the next one goes on."""
    done: list[str] = []
    either.call_soon(either.stop)
    either.call_soon(either.call_soon, done.append, "after")

    assert either.step() == 0
    either.step()

    assert done == ["after"]


def test_cancelled_callback(either):
    """A callback that was cancelled before its turn does not run."""
    done: list[str] = []
    either.call_soon(done.append, "never").cancel()
    either.call_soon(done.append, "once")

    assert either.step() is None
    assert done == ["once"]


def test_descriptors_beside_what_is_always_ready(either):
    """A readable socket has its turn beside a callback that is always ready."""
    ours, theirs = socket.socketpair()

    async def spin():
        while not task.done():  # noqa: ASYNC110 - what must not starve the socket
            await asyncio.sleep(0)

    with ours, theirs:
        ours.setblocking(False)
        task = either.create_task(either.sock_recv(ours, 10))
        either.step()
        theirs.send(b"data")
        _spinning = either.create_task(spin())
        either.step()

        assert task.result() == b"data"


def test_timer_that_a_step_sets(either):
    """A step returns the time until a timer that was set within it."""
    either.call_soon(either.call_later, 3600, print)

    assert 3599 < either.step() <= 3600


def test_timer_that_is_due(either):
    """A timer whose time has come runs in the next step."""
    done: list[str] = []
    either.call_later(0, done.append, "due")
    either.step()

    assert done == ["due"]
