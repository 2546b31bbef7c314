"""``host_trio_asyncio``: an application on trio-asyncio, in a process of its own."""

import os
import subprocess
import sys

import pytest

from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import PROGRAMS
from tests.emulator import PROJECT
from tests.fake_runtime_api import INIT_ERROR

SHARED = [
    "tests/app/in_process/asgi/test_transport.py",
    "tests/app/in_process/asgi/test_exchange.py",
]
"""What holds on each loop."""

needs_trio_asyncio = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="trio-asyncio can't be imported"
)


@needs_trio_asyncio
@pytest.mark.timeout(600)  # of a hundred tests, each of which has a limit of its own
def test_transports():
    """Every law of the other loops holds on trio-asyncio's."""
    # Before all that imports functions of asyncio's, which trio-asyncio replaces.
    code = "import sys, trio_asyncio, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    run = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                code,
                "-q",
                *SHARED,
            ),
            *("-W", "ignore::DeprecationWarning"),  # trio-asyncio's own, from 3.12 on
        ],
        cwd=PROJECT,
        env={**os.environ, "TEST_LOOPS": "trio-asyncio"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout


@needs_trio_asyncio
async def test_mixed_application(runtime):
    """Coroutines of asyncio and of trio call each other."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, "--asgi", "mixed_app:app"],
        AWS_LWA_ASGI_LOOP="trio-asyncio",
    ) as adapter:
        posted = await runtime.invoke(http_event())

    assert posted.json()["body"] == "[3, 6, 9]", adapter.log


async def test_not_installed(runtime, tmp_path):
    """If trio-asyncio can't be imported, one line says what to do."""
    (tmp_path / "trio_asyncio.py").write_text("raise ImportError('no such thing')")
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, "--asgi", "asgi_app:app"],
        AWS_LWA_ASGI_LOOP="trio-asyncio",
        PYTHONPATH=str(tmp_path),
    ) as adapter:
        assert await adapter.wait() == 1

    posted = await runtime.wait_posted(INIT_ERROR)
    assert "trio-asyncio can't be imported by Python" in adapter.log
    assert "AWS_LWA_ASGI_LOOP=asyncio" in str(posted.json()["errorMessage"])


COMPILED = """
from blacksheep import Application, Response, StreamedContent

app = Application()

async def pieces():
    yield b"a"
    yield b"b"

@app.router.get("/whole")
async def whole():
    return Response(200, content=StreamedContent(b"text/plain", pieces))

@app.router.get("/left")
async def left():
    compiled = Response(200, content=StreamedContent(b"text/plain", pieces))
    async for piece in compiled.content.get_parts():
        break  # what is left of it is finalized on its loop
    return Response(200, content=StreamedContent(b"text/plain", pieces))
"""


@needs_trio_asyncio
@pytest.mark.e2e
async def test_generators_that_cython_compiled(runtime, tmp_path):
    """A generator without a frame, as Cython compiles them, is iterated on its loop."""
    (tmp_path / "app.py").write_text(COMPILED)
    async with open_adapter(
        runtime.address,
        ["--app-dir", str(tmp_path), "--asgi", "app:app"],
        AWS_LWA_ASGI_LOOP="trio-asyncio",
    ) as adapter:
        paths = ["/whole", "/left"] * 2
        posted = [await runtime.invoke(http_event(path)) for path in paths]

    assert [each.json()["body"] for each in posted] == ["ab"] * 4, adapter.log
    assert "Traceback" not in adapter.log
