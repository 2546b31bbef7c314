"""``host_asyncio``: asyncio's own loop, one step after the other."""

import asyncio
import math
import socket
import time

import pytest

from lambda_adapter.app.in_process.asgi.host_asyncio import SHARE, SteppedLoop
from tests.adapter import open_adapter
from tests.app.calls import http_event


@pytest.fixture
def loop(request):
    """A loop that may be busy for as long as it wants, or for a given share."""
    loop = SteppedLoop(getattr(request, "param", math.inf))
    yield loop
    if tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()


def test_nothing_to_do(loop):
    """A loop without anything to do is not to be run again."""
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


NESTED = """
import asyncio, nest_asyncio
{at_import}

async def slow():
    await asyncio.sleep(0.02)
    return b"slow"

async def app(scope, receive, send):
    assert scope["type"] == "http"
    {in_request}
    got = b""
    for _ in range(3):
        got += asyncio.get_event_loop().run_until_complete(slow())
        got += asyncio.run(slow())
        await asyncio.sleep(0.01)
    await send({{"type": "http.response.start", "status": 200}})
    await send({{"type": "http.response.body", "body": got}})
"""


@pytest.mark.parametrize("where", ["at_import", "in_request"])
async def test_nested_runs(runtime, tmp_path, where):
    """A run within a coroutine, as nest_asyncio allows it, waits for its end."""
    pytest.importorskip("nest_asyncio")
    source = NESTED.format(
        **{"at_import": "", "in_request": "", where: "nest_asyncio.apply()"}
    )
    (tmp_path / "app.py").write_text(source)
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--asgi", "app:app"]
    ):
        posted = [await runtime.invoke(http_event()) for _ in range(3)]

    assert [each.json()["body"] for each in posted] == ["slow" * 6] * 3


SUBPROCESS = """
import asyncio

class Policy(asyncio.DefaultEventLoopPolicy):
    def get_child_watcher(self):
        raise NotImplementedError  # as uvloop's

{uvloop}

async def app(scope, receive, send):
    assert scope["type"] == "http"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("echo", "hi", stdout=pipe)
    said, _ = await process.communicate()
    await send({{"type": "http.response.start", "status": 200}})
    await send({{"type": "http.response.body", "body": said}})
"""


@pytest.mark.parametrize(
    "install",
    [
        "asyncio.set_event_loop_policy(Policy())",
        "import uvloop\nuvloop.install()",
    ],
)
async def test_subprocess_under_a_policy_of_another_loop(runtime, tmp_path, install):
    """An application that has installed uvloop's policy can start subprocesses."""
    if "uvloop" in install:
        pytest.importorskip("uvloop")
    (tmp_path / "app.py").write_text(SUBPROCESS.format(uvloop=install))
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--asgi", "app:app"]
    ):
        posted = [await runtime.invoke(http_event()) for _ in range(2)]

    assert [each.json()["body"] for each in posted] == ["hi\n"] * 2
