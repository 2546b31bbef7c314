"""The function: which environment an invocation gets."""

import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import trio

from lambda_adapter.local.function import QUEUED, Function
from lambda_adapter.local.samples import sample
from lambda_adapter.local.testing import LambdaApp, open_app
from tests.local.conftest import APP, Notices, function_options

LIMIT = 20


def test_environments():
    """Requests at once have environments of their own, each with a port of its own."""
    with ThreadPoolExecutor() as pool, open_app(APP, environments=2) as app:
        pool.submit(app.get, "/hold")
        holder = wait_holder(app)

        assert app.get("/pid").text != holder


def test_concurrency():
    """One environment takes as many invocations at once as it is said to."""
    with open_app(APP, concurrency=2) as app, ThreadPoolExecutor() as pool:
        holding = pool.submit(app.get, "/hold")
        wait_holder(app)

        app.get("/release")

        assert holding.result(LIMIT).text == "released"


def test_queue():
    """A request waits for the one environment there is, and gets its turn."""
    with open_app(APP) as app, ThreadPoolExecutor() as pool:
        pids = list(pool.map(lambda _: app.get("/pid").text, range(4)))

        assert len(set(pids)) == 1


async def test_waiting_is_told():
    """A request that waits for an environment is told, with the option that helps."""
    report = Notices()
    function = Function(function_options(), report)
    async with trio.open_nursery() as nursery:
        await nursery.start(function.run)
        await function.start()
        nursery.start_soon(function.invoke, sample_of("/hold"), "GET /hold")
        with trio.fail_after(LIMIT):
            while not list(function.records):
                await trio.lowlevel.checkpoint()
        with trio.move_on_after(QUEUED + 1):
            await function.invoke(sample_of("/pid"), "GET /pid")

        said = "GET /pid waits for a free environment; Lambda would start another"
        assert report.notices == [f"{said}: add --environments 2"]
        nursery.cancel_scope.cancel()


def sample_of(path: str) -> bytes:
    """Return an event for a path."""
    return msgspec.json.encode(sample("http-api", path))


def wait_holder(app: LambdaApp) -> str:
    """Return the pid of the application that holds a request, once one does."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        for line in (line for each in app.invocations for line in each.lines):
            if line.endswith(" holds"):
                return line.removesuffix(" holds")
    raise AssertionError("nothing is held")
