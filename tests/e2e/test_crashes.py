"""A worker that crashes, and takes the whole server with it, or not."""

import pytest
import trio
import trio.testing

from tests.e2e.life import freeze, get, open_life
from tests.e2e.servers import PROGRAMS, gunicorn
from tests.fake_runtime_api import NEXT

ENDS_SLOWLY = ("--config", str(PROGRAMS / "gunicorn_slow_exit.py"))
KINDS = [
    pytest.param((), id="sync"),
    pytest.param(("--workers", "2"), id="two workers"),
    pytest.param(("--threads", "2"), id="gthread"),
]
frozen = pytest.mark.parametrize("stops", [False, True], ids=["running", "frozen"])
any_method = pytest.mark.parametrize("method", ["GET", "POST"])
any_kind = pytest.mark.parametrize("options", KINDS)


@any_method
@any_kind
async def test_a_server_that_ends_after_its_worker(runtime, tmp_path, options, method):
    """A request whose failure ends gunicorn is a 502, and the last one.

    gunicorn takes status 3 of a worker for one that failed to boot, and ends. Until
    then, a second worker may still respond, and the next event is requested.
    """
    command = gunicorn(*options, *ENDS_SLOWLY)
    async with open_life(runtime, tmp_path, command) as adapter:
        await get(runtime, "/")
        status, body = await get(runtime, "/exit/3", 5, method)
        assert await adapter.wait() == 1

    assert (status, "Runtime.AppRequestError" in body) == (502, True)
    assert "Runtime.AppExitedError: the application exited with status 3" in adapter.log
    asked = len([each for each in runtime.posted if each.target == NEXT])
    assert asked == 2 or ("--workers" in options and asked == 3)


@frozen
@any_kind
async def test_a_worker_that_is_started_again(runtime, tmp_path, options, stops):
    """A request after a worker's crash is served by the next worker."""
    async with open_life(runtime, tmp_path, gunicorn(*options)) as adapter:
        await get(runtime, "/")
        crashed = await get(runtime, "/exit/1", method="POST")
        if stops:
            await freeze(adapter, 0.5)
        following = await get(runtime, "/", method="POST")

    assert (crashed[0], following[0]) == (502, 200)
    assert "AppExitedError" not in adapter.log


async def test_several_at_once(runtime, tmp_path):
    """Each request that is under way when the server ends is a 502."""
    runtime.max_polls = 4
    replies: list[int] = []
    command = gunicorn("--threads", "4", *ENDS_SLOWLY)
    several = {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}
    async with open_life(runtime, tmp_path, command, **several) as adapter:

        async def ask(path: str) -> None:
            replies.append((await get(runtime, path, 10, "POST"))[0])

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask, "/slow")
            await trio.testing.wait_all_tasks_blocked(0.5)
            nursery.start_soon(ask, "/exit/3")
        assert await adapter.wait() == 1

    assert replies == [502] * 4
