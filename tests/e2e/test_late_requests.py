"""A response that is late: the application goes on living, or the environment ends."""

import signal
from pathlib import Path

import pytest
import trio

from tests.adapter import open_adapter
from tests.e2e.life import freeze, get, open_life, tree, wait_until
from tests.e2e.servers import (
    PROGRAMS,
    granian,
    gunicorn,
    hypercorn,
    nginx,
    node,
    of,
    php,
    puma,
    tomcat,
    uvicorn,
    uwsgi,
    waitress,
)
from tests.fake_runtime_api import NEXT

ONE_AT_A_TIME = {
    "php -S": php,
    "gunicorn": gunicorn(),
    "waitress, one thread": waitress(1),
    "node": node,
    "nginx and PHP-FPM": nginx(),
    "uWSGI": uwsgi(),
    "Puma, one thread": puma("threads 1, 1"),
    "Tomcat, one thread": tomcat("maxThreads=1", "minSpareThreads=1"),
    "Granian, one thread": granian(
        "--interface", "wsgi", "--blocking-threads", "1", "life_app:app"
    ),
}
SEVERAL = {
    "gunicorn, threads": (gunicorn("--threads", "3"), "/slow"),
    "gunicorn, two workers": (gunicorn("--workers", "2"), "/slow"),
    "gunicorn, gevent": (gunicorn("--worker-class", "gevent"), "/slow"),
    "waitress": (waitress(4), "/slow"),
    "uvicorn": (uvicorn(), "/wait"),
    "hypercorn": (hypercorn(), "/wait"),
    "Granian": (granian("--interface", "asgi", "life_asgi:app"), "/wait"),
    "uWSGI, threads": (uwsgi("--threads=3"), "/slow"),
    "Puma": (puma("workers 0"), "/slow"),
    "Puma, cluster": (puma("workers 2", "worker_timeout 86400"), "/slow"),
    "Tomcat": (tomcat(), "/slow"),
}
COMPUTING = {
    "node, 0.2 s at a time": (node, "/chunks"),
    "uvicorn, a thread": (uvicorn(), "/slow"),
    "gunicorn, threads": (gunicorn("--threads", "3"), "/compute"),
    "waitress": (waitress(4), "/compute"),
    "Tomcat": (tomcat(), "/compute"),
}
WAYS = {
    "as it is": {},
    "streamed": {"AWS_LWA_INVOKE_MODE": "response_stream"},
    "TCP checks": {"AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp"},
    "settings around it": {
        "AWS_LWA_ENABLE_COMPRESSION": "true",
        "AWS_LWA_AFTER_REPLY_PATH": "/after",
        "AWS_LWA_METRICS": "emf",
        "AWS_LWA_TRACEPARENT": "true",
    },
    "at once": {"AWS_LAMBDA_MAX_CONCURRENCY": "2"},
}

frozen = pytest.mark.parametrize("stops", [False, True], ids=["running", "frozen"])


def gone(pids: list[int]) -> bool:
    return not any(runs(pid) for pid in pids)


def runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def assert_ends(runtime, adapter, *, stops: bool) -> None:
    """A late request is a 504, and then all that the adapter started ends."""
    pids = tree(adapter.process.pid)
    status, _ = await get(runtime, "/slow", seconds=1)
    if stops:
        await freeze(adapter, 0.5)

    assert status == 504
    assert await adapter.wait() == 1
    log = await adapter.wait_log("Runtime.AppStuckError: GET /slow: ")
    assert "Runtime.DeadlineError: GET /slow: " in log
    await wait_until(lambda: gone(pids))


@frozen
@pytest.mark.parametrize("command", of(ONE_AT_A_TIME))
async def test_no_request_waits_behind_a_late_one(runtime, tmp_path, command, stops):
    """A server that is busy with a late request ends before the next request."""
    async with open_life(runtime, tmp_path, command) as adapter:
        assert (await get(runtime, "/"))[0] == 200

        await assert_ends(runtime, adapter, stops=stops)

    assert len([each for each in runtime.posted if each.target == NEXT]) == 2


@pytest.mark.parametrize("environ", of(WAYS))
async def test_so_in_every_mode(runtime, tmp_path, environ):
    """A busy server ends with all settings, whatever its readiness checks are."""
    runtime.max_polls = 2
    async with open_life(runtime, tmp_path, gunicorn(), **environ) as adapter:
        await assert_ends(runtime, adapter, stops=False)


@frozen
@pytest.mark.parametrize(("command", "path"), of(SEVERAL))
async def test_threads_go_on(runtime, tmp_path, command, path, stops):
    """A server that can still respond loses nothing by a late request."""
    async with open_life(runtime, tmp_path, command) as adapter:
        before = tree(adapter.process.pid)
        late = await get(runtime, path, seconds=1)
        if stops:
            await freeze(adapter, 0.5)
        following = await get(runtime, "/")
        after = tree(adapter.process.pid)

    assert (late[0], following[0]) == (504, 200)
    assert set(before) <= set(after)  # a second worker may start meanwhile
    assert "AppStuckError" not in adapter.log


@frozen
@pytest.mark.parametrize("environ", of(WAYS))
async def test_an_event_loop_goes_on(runtime, tmp_path, environ, stops):
    """A server on an event loop that waits for something loses nothing."""
    runtime.max_polls = 2
    async with open_life(runtime, tmp_path, node, **environ) as adapter:
        first = await get(runtime, "/")
        late = await get(runtime, "/wait", seconds=1)
        if stops:
            await freeze(adapter, 0.5)
        following = await get(runtime, "/")

    assert (late[0], following) == (504, first)
    assert "AppStuckError" not in adapter.log


@pytest.mark.parametrize(("command", "path"), of(COMPUTING))
async def test_a_busy_server_goes_on(runtime, tmp_path, command, path):
    """A server that responds only now and then, since it computes, loses nothing."""
    async with open_life(runtime, tmp_path, command) as adapter:
        _, first = await get(runtime, "/")
        late = await get(runtime, path, seconds=2)
        following = await get(runtime, "/", method="POST")

    assert (late[0], following) == (504, (200, first))
    assert "AppStuckError" not in adapter.log


async def test_a_view_in_a_thread_goes_on_in_process(runtime):
    """In the adapter's process, too, a thread of an ASGI application goes on."""
    argv = ["--app-dir", str(PROGRAMS), "--asgi", "thread_asgi:app"]
    async with open_adapter(runtime.address, argv) as adapter:
        assert (await get(runtime, "/"))[0] == 200
        late = await get(runtime, "/slow", seconds=1)
        following = await get(runtime, "/")

    assert (late[0], following[0]) == (504, 200)
    assert "AppStuckError" not in adapter.log


async def test_a_view_in_a_thread_ends_trio(runtime):
    """On trio such a thread can't be left alone, so the environment ends."""
    argv = ["--app-dir", str(PROGRAMS), "--asgi", "thread_asgi:app"]
    async with open_adapter(runtime.address, argv, AWS_LWA_ASGI_LOOP="trio") as adapter:
        assert (await get(runtime, "/"))[0] == 200
        late = await get(runtime, "/slow", seconds=1)

        assert await adapter.wait() == -signal.SIGALRM

    assert late[0] == 504
    assert "AppStuckError" in adapter.log


async def test_on_a_unix_socket(runtime, tmp_path):
    """A busy server on a Unix socket ends as well; a waiting one continues."""
    socket = {"AWS_LWA_UNIX_SOCKET": str(tmp_path / "socket")}
    async with open_life(runtime, tmp_path, node, **socket) as adapter:
        assert (await get(runtime, "/wait", seconds=1))[0] == 504
        assert (await get(runtime, "/"))[0] == 200

        await assert_ends(runtime, adapter, stops=False)


async def test_others_finish_first(runtime, tmp_path):
    """Concurrent invocations finish before the environment ends."""
    runtime.max_polls = 3
    concurrency = {"AWS_LAMBDA_MAX_CONCURRENCY": "3"}
    command = gunicorn("--workers", "1", "--threads", "1")
    replies: list[int] = []
    async with open_life(runtime, tmp_path, command, **concurrency) as adapter:

        async def ask(seconds: float) -> None:
            replies.append((await get(runtime, "/slow", seconds))[0])

        async with trio.open_nursery() as nursery:
            for seconds in (1, 1.5, 8):
                nursery.start_soon(ask, seconds)
        assert await adapter.wait() == 1

    assert replies == [504, 504, 504]
    assert adapter.log.count("Runtime.AppStuckError: ") == 1
