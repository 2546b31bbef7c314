"""``watchdog``: where an application is that blocks the adapter's thread."""

import functools
import sys
import time

import pytest
import trio

from tests.adapter import open_adapter
from tests.app.calls import http_event

BLOCKS = """
import select
def lookup():
    select.select([], [], [], 60)
"""
ASGI = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/blocks":
        lookup()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"ok"})
"""
WSGI = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/blocks":
        lookup()
    start_response("200 OK", [])
    return [b"ok"]
"""
LOOPS = ["asyncio", "trio"] + ["trio-asyncio"] * (sys.version_info < (3, 14))
WAYS = [
    *(("--asgi", ASGI, {"AWS_LWA_ASGI_LOOP": loop}) for loop in LOOPS),
    ("--wsgi", WSGI, {"AWS_LWA_WSGI_INLINE": "true"}),
]


@pytest.mark.parametrize(("option", "source", "environ"), WAYS)
async def test_application_that_blocks(runtime, tmp_path, option, source, environ):
    """Before Lambda's deadline, a line names the request and where it blocks."""
    (tmp_path / "app.py").write_text(BLOCKS + source)
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), option, "app:app"], **environ
    ) as adapter:
        await runtime.invoke(http_event())
        deadline = str(int((time.time() + 3) * 1000))
        invoke = functools.partial(runtime.invoke, lambda_runtime_deadline_ms=deadline)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(invoke, http_event("/blocks"))
            log = await adapter.wait_log("blocks the adapter's thread")
            nursery.cancel_scope.cancel()
        adapter.process.kill()

    (line,) = [each for each in log.splitlines() if "blocks the adapter" in each]
    assert "Runtime.DeadlineError: GET /blocks: " in line
    assert f"{tmp_path}/app.py:4 in lookup, called by {tmp_path}/app.py:" in line
    assert "lambda_adapter" not in line, "its own calls say nothing of the application"


@pytest.mark.parametrize(
    ("option", "environ"), [("--asgi", {}), ("--wsgi", {"AWS_LWA_WSGI_INLINE": "true"})]
)
async def test_application_that_responds(runtime, tmp_path, option, environ):
    """Nothing is logged if a deadline passes after the response."""
    source = ASGI if option == "--asgi" else WSGI
    (tmp_path / "app.py").write_text(BLOCKS + source)
    async with open_adapter(
        runtime.address, ["--app-dir", str(tmp_path), option, "app:app"], **environ
    ) as adapter:
        for _ in range(20):
            deadline = str(int((time.time() + 0.3) * 1000))
            await runtime.invoke(http_event(), lambda_runtime_deadline_ms=deadline)

    assert "blocks the adapter" not in adapter.log


@pytest.mark.e2e  # Lambda's 10 s for the init
async def test_import_that_takes_long(runtime, tmp_path):
    """Before the end of Lambda's init, a line names where the import is."""
    (tmp_path / "app.py").write_text(BLOCKS + "lookup()\n")
    logs: list[str] = []

    async def run(option: str) -> None:
        command = ["--app-dir", str(tmp_path), option, "app:app"]
        async with open_adapter(runtime.address, command) as adapter:
            logs.append(await adapter.wait_log("is not ready after 9.5 s"))
            adapter.process.kill()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, "--asgi")
        nursery.start_soon(run, "--wsgi")

    where = f"it is at {tmp_path}/app.py:4 in lookup, called by"
    assert [where in log for log in logs] == [True, True]
