"""``stdio``: what an application prints is in the log when it has printed it."""

import os
import subprocess
import sys

import pytest
import trio

from lambda_adapter.observe.stdio import PATIENCE
from tests.app.calls import http_event
from tests.observe.test_root_handler import open_app, printed

KINDS = [
    ("asgi", {}),
    ("asgi", {"AWS_LWA_ASGI_LOOP": "trio"}),
    ("wsgi", {}),
    ("wsgi", {"AWS_LWA_WSGI_INLINE": "true"}),
]


async def read(stream, size):
    """Return as many bytes as were printed, as soon as they are there."""
    got = b""
    with trio.fail_after(20):
        while len(got) < size:
            part = await stream.receive_some(size - len(got))
            assert part, f"only {got!r} was printed"
            got += part
    return got


@pytest.mark.parametrize(("kind", "environ"), KINDS)
@pytest.mark.parametrize(
    ("path", "text"),
    [("/print", b"hello print\n"), ("/part", b"a part"), ("/bytes", b"bytes\n")],
)
async def test_printed_at_once(runtime, kind, environ, path, text):
    """Printed text is written before the request ends, so that no kill loses it."""
    async with (
        open_app(runtime, kind, **environ) as adapter,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(runtime.invoke, http_event(path, "hangs"))
        got = await read(adapter.process.stdout, len(text))
        adapter.process.kill()
        nursery.cancel_scope.cancel()

    assert got == text


async def test_part_of_a_line_on_stderr(runtime):
    """Part of a line on stderr is written before the request ends as well."""
    async with open_app(runtime, "asgi") as adapter:
        await runtime.invoke(http_event("/error"))
        await adapter.wait_log("an error's part")


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_lines_of_threads(runtime, kind):
    """Lines of several threads are never mixed."""
    async with open_app(runtime, kind) as adapter:
        await runtime.invoke(http_event("/threads"))
        text = await printed(adapter)

    lines = [f"line of thread {number}" for number in range(8) for _ in range(20)]
    assert sorted(text.splitlines()) == sorted(lines)


SCRIPT = """
import os, sys, threading
from lambda_adapter.observe.stdio import unbuffer
unbuffer()
"""


def run(script, **environ):
    """Return what a program prints whose output is not buffered."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT + script],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout


def test_line_without_an_end_holds_no_other_thread():
    """A thread that leaves its line open keeps others waiting for a moment only."""
    script = f"""
print("open", end=" ")
threads = [threading.Thread(target=print, args=("other",)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join({PATIENCE * 1000})
    assert not thread.is_alive()
print("end")
os._exit(0)
"""

    assert run(script) == b"open other\nother\nother\nend\n"


def test_stream_keeps_its_ways():
    """Name, encoding and what becomes of odd characters are as they were."""
    script = """
for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
    print(stream.name, stream.encoding, stream.errors, stream.mode, stream.fileno())
"""
    encoding = "utf-8:replace"

    written = run(script, PYTHONIOENCODING=encoding).decode().splitlines()

    out, err = "<stdout> utf-8 replace w 1", "<stderr> utf-8 backslashreplace w 2"
    assert written == [out, out, err, err]


@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_output_that_does_not_block(environ):
    """Nothing is lost of a pipe that does not block, as asyncio makes it.

    ``connect_write_pipe(..., sys.stdout)`` sets that for all who share the pipe.
    """
    script = """
os.set_blocking(1, False)
for number in range(20):
    print(str(number % 10) * 100_000)
os._exit(0)
"""

    expected = b"".join(b"%d" % (each % 10) * 100_000 + b"\n" for each in range(20))

    assert run(script, **environ) == expected


@pytest.mark.parametrize("closes", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(closes):
    """A process that has no stdout or stderr starts all the same."""
    script = SCRIPT + "os._exit(7)"
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {closes}', sys.executable, script],
        check=False,
        timeout=30,
    )

    assert ended.returncode == 7


@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_lines_are_whole(environ):
    """Lines of threads that print in pieces are never mixed, even unbuffered."""
    script = """
def work(number):
    for _ in range(30):
        print("thread", number)

threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os._exit(0)
"""

    lines = run(script, **environ).decode().splitlines()

    assert sorted(lines) == [f"thread {n}" for n in range(8) for _ in range(30)]
