"""``signals``: SIGTERM, and handlers of an application in the adapter's process."""

import signal
import sys
import textwrap

import pytest

from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.fake_runtime_api import NEXT

LOOPS = ["asyncio", "trio"] + ["trio-asyncio"] * (sys.version_info < (3, 14))
ASYNCIO = [loop for loop in LOOPS if loop != "trio"]

NOTE = """
import os, signal, sys
def note(text):
    print(text, file=sys.stderr, flush=True)
def handle(number, frame):
    note(f"handled {signal.Signals(number).name}")
"""

WSGI = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
"""

ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        note("shut down")
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"ok"})
"""

AT_IMPORT = "signal.signal(signal.SIGTERM, handle)\n"
NO_START = "async def start(): pass\n"
IN_STARTUP = "async def start(): signal.signal(signal.SIGTERM, handle)\n"
ADDED_AT_IMPORT = (
    "import asyncio\nasyncio.get_event_loop().add_signal_handler("
    "signal.SIGTERM, handle, signal.SIGTERM, None)\n"
)
ADDED_IN_STARTUP = (
    "import asyncio\nasync def start(): asyncio.get_running_loop().add_signal_handler("
    "signal.SIGTERM, handle, signal.SIGTERM, None)\n"
)
OF_TRIO = """
import trio
receiving = trio.Event()
async def receive_signals():
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        receiving.set()
        async for number in signals:
            handle(number, None)
async def start():
    trio.lowlevel.spawn_system_task(receive_signals)
    await receiving.wait()
"""

WAYS = [
    *(
        (f"{AT_IMPORT}{WSGI}", ["--wsgi"], {"AWS_LWA_WSGI_INLINE": inline})
        for inline in ("true", "false")
    ),
    *(
        (f"{how}{ASGI}", ["--asgi"], {"AWS_LWA_ASGI_LOOP": loop})
        for loop in LOOPS
        for how in (AT_IMPORT + NO_START, IN_STARTUP)
    ),
    (f"{ADDED_AT_IMPORT}{NO_START}{ASGI}", ["--asgi"], {}),
    *(
        (f"{ADDED_IN_STARTUP}{ASGI}", ["--asgi"], {"AWS_LWA_ASGI_LOOP": loop})
        for loop in ASYNCIO
    ),
    (f"{OF_TRIO}{ASGI}", ["--asgi"], {"AWS_LWA_ASGI_LOOP": "trio"}),
]


def open_app(runtime, tmp_path, source, options, environ):
    """Start the adapter with an application that is written to a file."""
    (tmp_path / "app.py").write_text(NOTE + textwrap.dedent(source))
    command = ["--app-dir", str(tmp_path), *options, "app:app"]
    return open_adapter(runtime.address, command, **environ)


@pytest.mark.parametrize(("source", "options", "environ"), WAYS)
async def test_handlers_of_an_application(runtime, tmp_path, source, options, environ):
    """A handler that an application has set is called once, and the adapter ends."""
    async with open_app(runtime, tmp_path, source, options, environ) as adapter:
        posted = await runtime.invoke(http_event())
        await runtime.wait(lambda: runtime.polls == 1)
        adapter.process.send_signal(signal.SIGTERM)
        status = await adapter.wait()

    assert posted.json()["statusCode"] == 200
    assert status == 0, adapter.log
    assert adapter.log.count("handled SIGTERM") == 1, adapter.log
    assert adapter.log.count("shut down") == ("--asgi" in options)
    assert "Traceback" not in adapter.log
    assert "Warning" not in adapter.log


async def test_handler_that_exits(runtime, tmp_path):
    """A handler that calls ``sys.exit`` is called last, with its exit status."""
    source = (
        "def exit(number, frame):\n    note('exits')\n    sys.exit(7)\n"
        f"signal.signal(signal.SIGTERM, exit)\n{NO_START}{ASGI}"
    )
    async with open_app(runtime, tmp_path, source, ["--asgi"], {}) as adapter:
        await runtime.wait_posted(NEXT)
        await runtime.wait(lambda: runtime.polls == 1)
        adapter.process.send_signal(signal.SIGTERM)
        status = await adapter.wait()

    assert status == 7
    assert adapter.log.index("shut down") < adapter.log.index("exits")


FORKS = {
    "terminate": """
        def work():
            import multiprocessing, time
            fork = multiprocessing.get_context("fork")
            process = fork.Process(target=time.sleep, args=(60,))
            process.start()
            process.terminate()
            process.join()
            return str(process.exitcode)
        """,
    "pool": """
        def work():
            import multiprocessing
            for _ in range(8):
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    pool.map(abs, [-1, -2])
                pool.join()
            return "-15"
        """,
    "fork": """
        def work():
            if (pid := os.fork()) == 0:
                signal.pause()
                os._exit(1)
            os.kill(pid, signal.SIGTERM)
            return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
}

WORK = {
    "--wsgi": """
def app(environ, start_response):
    said = work()
    start_response("200 OK", [])
    return [said.encode()]
""",
    "--asgi": """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    said = work()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": said.encode()})
""",
}


@pytest.mark.parametrize("how", FORKS)
@pytest.mark.parametrize(
    ("option", "environ"),
    [
        ("--wsgi", {}),
        ("--wsgi", {"AWS_LWA_WSGI_INLINE": "true"}),
        *(("--asgi", {"AWS_LWA_ASGI_LOOP": loop}) for loop in LOOPS),
    ],
)
async def test_forked_children(runtime, tmp_path, how, option, environ):
    """SIGTERM ends a child that an application has forked."""
    source = textwrap.dedent(FORKS[how]) + WORK[option]
    async with open_app(runtime, tmp_path, source, [option], environ) as adapter:
        posted = [await runtime.invoke(http_event()) for _ in range(2)]
        adapter.process.send_signal(signal.SIGTERM)
        status = await adapter.wait()

    assert [each.json()["body"] for each in posted] == ["-15"] * 2
    assert status == 0


async def test_handler_in_a_forked_child(runtime, tmp_path):
    """A forked child has the handler that the application set at import."""
    source = (
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(9))\n"
        + textwrap.dedent(FORKS["fork"])
        + WORK["--wsgi"]
    )
    async with open_app(runtime, tmp_path, source, ["--wsgi"], {}) as adapter:
        posted = await runtime.invoke(http_event())
        adapter.process.send_signal(signal.SIGTERM)
        status = await adapter.wait()

    assert posted.json()["body"] == "9"
    assert status == 9
