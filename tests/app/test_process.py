"""``app_process``: the application's process, once it runs."""

import os
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager

import pytest
import trio

from lambda_adapter.app.process import (
    GRACE,
    GRACE_WITH_EXTENSIONS,
    AppProcess,
    grace,
)
from lambda_adapter.errors import AppExitedError
from lambda_adapter.launcher import Child

WAIT = "import signal; signal.pause()"
IGNORE = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True);" + WAIT
COUNT = """
import os, signal, time
def count(*_):
    os.write(1, b"SIGTERM\\n")
    time.sleep(0.1)
    os.write(1, b"ended\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, count)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""
PARENT = """
import os, signal, sys
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"%d\\n" % os.getpid())
    signal.pause()
"""


class Started:
    """A child of this process in a session of its own, and what it writes."""

    def __init__(self, code: str, wrapper: Sequence[str] = ()) -> None:
        reading, writing = os.pipe()
        command = [*wrapper, sys.executable, "-c", code]
        self.pid = os.posix_spawn(
            command[0],
            command,
            os.environ,
            setsid=True,
            file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)],
        )
        os.close(writing)
        self.output = trio.lowlevel.FdStream(reading)
        never, unused = os.pipe()
        os.close(unused)
        self.child = Child("python", self.pid, never)

    async def line(self) -> str:
        """Wait for its next output."""
        with trio.fail_after(10):
            return bytes(await self.output.receive_some()).decode()


@asynccontextmanager
async def started(code: str, wrapper: Sequence[str] = ()):
    child = Started(code, wrapper)
    try:
        yield child
    finally:
        await child.output.aclose()
        os.close(child.child.start_error)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("raise SystemExit(0)", "exited with status 0"),
        ("raise SystemExit(3)", "exited with status 3"),
        ("import os; os.kill(os.getpid(), 15)", "was ended by SIGTERM"),
        ("import os; os.abort()", "was ended by SIGABRT"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "was ended by SIGKILL (was it out of memory?)",
        ),
    ],
)
async def test_how_it_ended(code, how):
    """How a child ended is described in words, the same each time."""
    async with started(code) as child, AppProcess(child.child) as process:
        with trio.fail_after(10):
            assert await process.wait_ended() == how
        assert process.ended() == how


async def test_ended_by_a_real_time_signal():
    """A signal without a name is described by its number."""
    code = "import os; os.kill(os.getpid(), 40)"
    async with started(code) as child, AppProcess(child.child) as process:
        with trio.fail_after(10):
            assert "40" in await process.wait_ended()


async def test_has_not_ended():
    """A child that runs has no exit status."""
    async with started(WAIT) as child, AppProcess(child.child) as process:
        assert process.ended() is None


@pytest.mark.parametrize(
    ("status", "advice"), [(3, "its own lines"), (0, "limit on its requests")]
)
async def test_end_while_serving(status, advice):
    """The exit of a child is noticed immediately, and is an error with advice."""
    code = f"raise SystemExit({status})"
    async with started(code) as child, AppProcess(child.child) as process:
        exited = trio.Event()
        with trio.fail_after(10), pytest.raises(AppExitedError) as caught:
            await process.watch(exited)

    assert exited.is_set()
    message = f"the application exited with status {status} while it was serving"
    assert str(caught.value) == message
    assert advice in caught.value.advice


async def test_leaving_asks_it_to_end():
    """On leaving, the child gets SIGTERM, once, and the time to end by itself."""
    async with started(COUNT) as child:
        async with AppProcess(child.child):
            assert await child.line() == "ready\n"

        assert await child.line() == "SIGTERM\nended\n"
        assert await child.line() == ""
        assert is_gone(child.pid)


WRAPPERS = {
    "dies on SIGTERM": '"$@"; true',
    "dies on SIGTERM, in two layers": """sh -c '"$@"; true' sh "$@"; true""",
    "hands SIGTERM on": """trap 'kill $!' TERM; "$@" & wait; wait""",
    "has ended before": '"$@" &',
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_leaving_asks_what_is_behind_a_wrapper(wrapper):
    """An application behind a shell script gets SIGTERM once, and its time to end.

    The script may end on SIGTERM at once, hand it on, or have ended long before.
    """
    shell = ["/bin/sh", "-c", WRAPPERS[wrapper], "sh"]
    async with started(COUNT, shell) as child:
        async with AppProcess(child.child) as process:
            assert await child.line() == "ready\n"
            if wrapper == "has ended before":
                with trio.fail_after(10):
                    await process.wait_ended()

        assert await child.line() == "SIGTERM\nended\n"
        assert await child.line() == ""
        assert is_gone(child.pid)


async def test_leaving_ends_who_ignores_it(caplog):
    """A child that ignores SIGTERM is killed, when Lambda's time is almost over."""
    async with started(IGNORE) as child:
        async with AppProcess(child.child):
            await child.line()
            leaving = trio.current_time()

        assert trio.current_time() - leaving >= GRACE
        assert is_gone(child.pid)
    assert "did not end on SIGTERM; sending SIGKILL" in caplog.text


async def test_leaving_is_not_cancelled():
    """However urgent the end is, the child gets its SIGTERM and is waited for."""
    async with started(COUNT) as child:
        with trio.CancelScope() as scope:
            async with AppProcess(child.child):
                await child.line()
                scope.cancel()

        assert await child.line() == "SIGTERM\nended\n"
        assert is_gone(child.pid)


async def test_leaving_ends_what_it_started(caplog):
    """Processes that the child started do not outlive it, even if they want to."""
    async with started(PARENT + "signal.pause()") as child:
        async with AppProcess(child.child):
            grandchild = await child.line()
            assert not is_gone(int(grandchild))

        assert await child.line() == ""
    assert "left behind did not end on SIGTERM; sending SIGKILL" in caplog.text


async def test_leaving_ends_what_was_left_behind():
    """Processes of a child that ended before do not outlive the adapter."""
    async with started(PARENT) as child:
        async with AppProcess(child.child) as process:
            grandchild = await child.line()
            with trio.fail_after(10):
                await process.wait_ended()
            assert not is_gone(int(grandchild))

        assert await child.line() == ""


async def test_leaving_after_it_has_ended(caplog):
    """A child that has ended needs no signal."""
    async with started("") as child, AppProcess(child.child) as process:
        with trio.fail_after(10):
            await process.wait_ended()

    assert is_gone(child.pid)
    assert caplog.records == []


async def test_without_pidfd():
    """Where the system has no pidfd, the end is noticed all the same."""
    async with started("") as child:
        os.close(child.child.pidfd)
        child.child.pidfd = -1
        async with AppProcess(child.child) as process:
            with trio.fail_after(10):
                assert await process.wait_ended() == "exited with status 0"


async def test_lets_go_of_the_pidfd():
    """Leaving an application closes its pidfd."""
    async with started("") as child:
        async with AppProcess(child.child):
            pass

        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(child.child.pidfd)


def test_grace(tmp_path):
    """Beside external extensions the grace is shorter, since Lambda's is."""
    assert grace(str(tmp_path / "none")) == GRACE
    assert grace(str(tmp_path)) == GRACE

    (tmp_path / "extension").touch()

    assert grace(str(tmp_path)) == GRACE_WITH_EXTENSIONS < GRACE
