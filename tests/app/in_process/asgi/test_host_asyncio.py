"""``host_asyncio``: asyncio's own loop, one step after the other."""

import asyncio
import math
import socket
import time

import pytest

from lambda_adapter.app.in_process.asgi.host_asyncio import SHARE, SteppedLoop


@pytest.fixture
def loop(request):
    """A loop that may be busy for as long as it wants, or for a given share."""
    loop = SteppedLoop(getattr(request, "param", math.inf))
    yield loop
    loop.selector.waits = True
    if tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()


def test_nothing_to_do(loop):
    """A loop without anything to do is not to be run again."""
    assert loop.step() is None


def test_runs_until_it_would_wait(loop):
    """A step does all that is ready, and says when there will be more."""
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
    """What is waited for makes the loop's own descriptor readable."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        task = loop.create_task(loop.sock_recv(ours, 10))

        assert loop.step() is None
        theirs.send(b"data")
        assert loop.selector.select(0)
        loop.step()

        assert task.result() == b"data"
