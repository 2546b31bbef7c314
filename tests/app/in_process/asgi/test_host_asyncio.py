"""``host_asyncio``: an application on asyncio, beside trio in one thread."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable

import pytest
import trio

from lambda_adapter.app.in_process.asgi.host_asyncio import AsyncioHost
from lambda_adapter.http.wire import Wire
from tests.adapter import open_adapter
from tests.app.calls import http_event


@pytest.fixture
async def host(nursery: trio.Nursery) -> AsyncIterator[AsyncioHost]:
    """A host that runs."""
    host = AsyncioHost()
    await nursery.start(host.run)
    yield host
    host.close()


def from_a_thread(send: Callable[[], object]) -> None:
    """Have asyncio send once another thread calls it."""
    loop = asyncio.get_running_loop()
    threading.Thread(target=loop.call_soon_threadsafe, args=(send,)).start()


def by_a_timer(send: Callable[[], object]) -> None:
    """Have asyncio send a little later."""
    asyncio.get_running_loop().call_later(0.02, send)


def on_a_socket(send: Callable[[], object]) -> None:
    """Have asyncio send once a socket is readable."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def read() -> None:
        loop.remove_reader(ours)
        ours.close()
        theirs.close()
        send()

    loop.add_reader(ours, read)
    threading.Thread(target=theirs.send, args=(b"x",)).start()


def after_an_executor(send: Callable[[], object]) -> None:
    """Have asyncio send once a thread of its executor has done its work."""
    future = asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 0)
    future.add_done_callback(lambda _: send())


@pytest.mark.parametrize(
    "begin", [from_a_thread, by_a_timer, on_a_socket, after_an_executor]
)
async def test_work_while_the_next_event_is_waited_for(
    host: AsyncioHost, begin: Callable[[Callable[[], object]], None]
):
    """The tasks of asyncio run while the adapter waits for the next event.

    The wait in the kernel would last for 30 s, and what ends it is asyncio's work
    alone: the bytes that it sends.
    """
    near, far = socket.socketpair()
    near.setblocking(False)
    wire = Wire(near)
    wire.wait_in_kernel_first(timeout=30)

    async def begin_soon() -> None:
        begin(lambda: far.send(b"event"))

    with far:
        started = trio.current_time()
        host.start(begin_soon, lambda _: None)
        wire.send(b"next")
        received = await wire.receive()
        waited = trio.current_time() - started
        wire.close()

    assert received == b"event"
    assert waited < 15


async def test_work_that_never_ends_leaves_trio_its_turn(host: AsyncioHost):
    """A wait for an event and a loop that is always busy both make progress."""
    near, far = socket.socketpair()
    near.setblocking(False)
    wire = Wire(near)
    wire.wait_in_kernel_first(timeout=30)
    turns = 0

    async def spin() -> None:
        nonlocal turns
        while True:
            turns += 1
            if turns == 100_000:
                far.send(b"event")
            await asyncio.sleep(0)

    with far:
        host.start(spin, lambda _: None)
        wire.send(b"next")
        assert await wire.receive() == b"event"
        wire.close()

    assert turns >= 100_000


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


CLOSED = """
import asyncio

async def setup():
    return await asyncio.to_thread(bytes, b"ready")

loop = asyncio.get_event_loop()
READY = loop.run_until_complete(setup())
loop.close()
{after}

async def app(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.to_thread(int)
    assert asyncio.get_event_loop() is asyncio.get_running_loop()
    await send({{"type": "http.response.start", "status": 200}})
    await send({{"type": "http.response.body", "body": READY}})
"""


@pytest.mark.parametrize("after", ["", "asyncio.set_event_loop(None)"])
async def test_loop_that_the_import_closes(runtime, tmp_path, after):
    """An application that closes the loop of its import is served on another one."""
    (tmp_path / "app.py").write_text(CLOSED.format(after=after))
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), "--asgi", "app:app"]
    ):
        posted = [await runtime.invoke(http_event()) for _ in range(2)]

    assert [each.json()["body"] for each in posted] == ["ready"] * 2


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
