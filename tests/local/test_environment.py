"""Environments: init, time-outs, freezing, ends, as on Lambda."""

import time

import msgspec
import psutil
import pytest
import trio

from lambda_adapter.local.function import Function
from lambda_adapter.local.processes import wait_ended
from lambda_adapter.local.testing import LambdaApp, open_app
from tests.adapter import PUPPET
from tests.local.conftest import APP, Notices, function_options

LIMIT = 10
"""Seconds for what takes milliseconds."""


def family(app: LambdaApp) -> list[psutil.Process]:
    """Return the adapter and the application."""
    application = psutil.Process(int(app.get("/pid").text))
    adapter = application.parent()
    assert adapter
    return [adapter, application]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended in time."""
    return wait_ended(processes, LIMIT)


def state(process: psutil.Process, wanted: str) -> str:
    """Return a process's state, once it is the wanted one or time is up."""
    limit = time.monotonic() + LIMIT
    while process.status() != wanted and time.monotonic() < limit:
        pass
    return process.status()


@pytest.mark.e2e
def test_timeout():
    """A timeout ends the environment; the next request is billed a new init."""
    with open_app(APP, timeout=1) as app:
        old = family(app)
        began = time.monotonic()
        late = app.get("/stop")
        took = time.monotonic() - began
        timed_out = app.last
        after = app.get("/pid")

        assert (late.status_code, late.text) == (
            500,
            '{"message":"Internal Server Error"}',
        )
        assert 0.9 < took < 3
        assert timed_out.failure
        assert timed_out.failure.error_type == "Sandbox.Timedout"
        assert timed_out.failure.message.endswith("Task timed out after 1.00 seconds")
        assert after.status_code == 200
        assert app.last.init_ms
        assert app.last.billed_ms > app.last.init_ms
        assert living(old) == []


@pytest.mark.e2e
def test_late_application():
    """An application that is late is the adapter's 504, and the environment stays."""
    margin = {"AWS_LWA_DEADLINE_MARGIN_SECONDS": "4.5"}
    with open_app(APP, timeout=5, env=margin) as app:
        pid = app.get("/pid").text

        assert app.get("/hang").status_code == 504
        assert app.get("/pid").text == pid


@pytest.mark.e2e
def test_end_of_the_adapter():
    """A killed adapter fails at most one request; then there is a new one."""
    with open_app(APP) as app:
        old = family(app)
        old[0].kill()

        assert living(old) == []
        assert 200 in [app.get("/pid").status_code for _ in range(2)]


def test_crash_of_an_application():
    """A crash fails one request; the next one has a new environment."""
    with open_app(APP) as app:
        pid = app.get("/pid").text

        response = app.get("/exit/3")
        crashed = app.last
        assert response.status_code in {500, 502}  # which of two ends is seen first
        assert crashed.failure
        assert crashed.failure.error_type == "Runtime.ExitError"
        assert "exit status 1" in crashed.failure.message
        assert "status 3" in "".join(crashed.lines)
        assert app.get("/pid").text != pid


def test_freeze():
    """Every process is stopped between invocations, and none within one."""
    with open_app(APP, freeze=True) as app:
        processes = family(app)
        for process in processes:
            assert state(process, psutil.STATUS_STOPPED) == psutil.STATUS_STOPPED

        assert app.get("/cookies").status_code == 200

    assert living(processes) == []


def test_cold():
    """Each request has a new environment, after the one before has ended."""
    with open_app(APP, cold=True) as app:
        pids = [int(app.get("/pid").text) for _ in range(2)]

        assert pids[0] != pids[1]
        assert not psutil.pid_exists(pids[0])
        inits = [invocation.init_ms for invocation in app.invocations]
        assert all(inits)


def test_whole_tree_ends():
    """A process that an application leaves behind ends with the environment."""
    with open_app(APP) as app:
        child = psutil.Process(int(app.get("/child").text))
        everyone = [*family(app), child]

    assert living(everyone) == []


def test_sigterm():
    """An environment that ends gets SIGTERM, which the adapter passes on."""
    with open_app([*PUPPET]) as app:
        app.get("/")
        lines = app.last.lines

    assert "the puppet ends" in lines


@pytest.mark.e2e
async def test_init_timeout():
    """An init beyond its limit is repeated by the next request, within its timeout."""
    slow = function_options(DESK_WAIT="1.5")
    report = Notices()
    function = Function(msgspec.structs.replace(slow, init_timeout=0.7), report)
    async with trio.open_nursery() as nursery:
        await nursery.start(function.run)
        await function.start()

        invocation = await function.invoke(b'"an event"')

        assert "Init timed out after 0.70 seconds" in report.notices[0]
        assert invocation.reply == "an event"
        assert invocation.init_ms
        assert invocation.init_ms > 1500
        nursery.cancel_scope.cancel()


def test_log_lines():
    """What an application prints within an invocation is kept with it."""
    with open_app(APP) as app:
        app.get("/print/first")
        first = app.last
        app.get("/print/second")

        assert (first.lines, app.last.lines) == (["first"], ["second"])


def test_environment_variables():
    """An application's environment is Lambda's, without settings of the adapter."""
    with open_app(APP, env={"MINE": "1", "AWS_LWA_INVOKE_MODE": "buffered"}) as app:
        lines = app.get("/environ").text.splitlines()

    environ = dict(line.split("=", 1) for line in lines)
    assert environ["MINE"] == "1"
    assert environ["AWS_LAMBDA_FUNCTION_NAME"] == "function"
    assert environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1024"
    assert environ["PORT"].isdecimal()
    assert "AWS_LWA_INVOKE_MODE" not in environ
