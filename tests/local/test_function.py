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
    """Concurrent requests have separate environments, each with its own port."""
    with ThreadPoolExecutor() as pool, open_app(APP, environments=2) as app:
        pool.submit(app.get, "/hold")
        holder = wait_holder(app)

        assert app.get("/pid").text != holder


def test_concurrency():
    """One environment serves as many concurrent invocations as configured."""
    with open_app(APP, concurrency=2) as app, ThreadPoolExecutor() as pool:
        holding = pool.submit(app.get, "/hold")
        wait_holder(app)

        app.get("/release")

        assert holding.result(LIMIT).text == "released"


def test_queue():
    """A request waits until the only environment is free."""
    with open_app(APP) as app, ThreadPoolExecutor() as pool:
        pids = list(pool.map(lambda _: app.get("/pid").text, range(4)))

        assert len(set(pids)) == 1


async def test_waiting_is_told():
    """A request that waits for an environment is reported, with an option."""
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


async def test_restart_in_the_middle_of_a_request():
    """A restart fails the requests under way, and ends no environment but theirs."""
    function = Function(function_options(), Notices())
    async with trio.open_nursery() as nursery:
        await nursery.start(function.run)
        await function.start()
        nursery.start_soon(function.invoke, sample_of("/hold"), "GET /hold")
        with trio.fail_after(LIMIT):
            while not any(each.lines for each in function.records):
                await trio.lowlevel.checkpoint()

        await function.restart()
        before, after = [await function.invoke(sample_of("/pid")) for _ in range(2)]

        held = function.records.find(1)
        assert held
        assert held.failure
        assert isinstance(before.reply, dict)
        assert isinstance(after.reply, dict)
        assert before.reply["body"] == after.reply["body"]
        assert after.init_ms is None
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
