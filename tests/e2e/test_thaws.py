"""An environment that is frozen, and thaws when its server's timers are due."""

import signal
from pathlib import Path

import pytest

from tests.adapter import children
from tests.e2e.life import (
    freeze,
    get,
    open_life,
    signal_all,
    stop,
    tree,
    wait_until,
)
from tests.e2e.servers import PUMA, SECOND, SERVERS, gunicorn, of, puma, uvicorn

KILLED = {
    "gunicorn": gunicorn("--timeout", "1"),
    "Puma, cluster": puma("workers 2", *PUMA, "worker_timeout 2"),
}
"""Servers whose timers count the freeze."""


@pytest.mark.parametrize(("command", "seconds"), of(SERVERS))
async def test_thaw(runtime, tmp_path, command, seconds):
    """A request at the thaw is served, and the freeze ends no process of the server."""
    statuses, ended = [], []
    async with open_life(runtime, tmp_path, command, **SECOND) as adapter:
        await get(runtime, "/", method="POST")
        for method in ("POST", "GET", "POST"):
            before = set(tree(adapter.process.pid))
            await freeze(adapter, seconds + 0.1)
            statuses.append((await get(runtime, "/", method=method))[0])
            ended.append(before - set(tree(adapter.process.pid)))

    assert set(statuses) <= {200, 204}
    assert ended == [set()] * 3
    assert "lambda-adapter: ERROR" not in adapter.log


@pytest.mark.parametrize("command", KILLED.values(), ids=KILLED)
async def test_a_timer_that_counts_the_freeze(runtime, tmp_path, command):
    """A server whose timer counts the freeze ends its worker at the thaw."""
    async with open_life(runtime, tmp_path, command) as adapter:
        await get(runtime, "/")
        before = set(tree(adapter.process.pid))
        await freeze(adapter, 4)
        await wait_until(lambda: not before <= set(tree(adapter.process.pid)))


def is_polling(pid: int) -> bool:
    """Return whether a process waits in ``poll``.

    https://man7.org/linux/man-pages/man5/proc_pid_wchan.5.html
    """
    return "poll" in Path(f"/proc/{pid}/wchan").read_text()


A_DAY = {"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "86400"}


@pytest.mark.parametrize(
    ("settings", "dies"), [({}, True), (A_DAY, False)], ids=["default", "a day"]
)
async def test_a_freeze_during_a_health_check(runtime, tmp_path, settings, dies):
    """A freeze that begins during uvicorn's health check counts towards its timeout.

    The workers are stopped first, which keeps the supervisor in a check, and continue
    last: which of them is the faster at a thaw is a matter of chance.
    """
    command = uvicorn("--workers", "2")
    async with open_life(runtime, tmp_path, command, **settings) as adapter:
        await get(runtime, "/")
        supervisor = adapter.child()
        workers = children(supervisor)
        signal_all(workers, signal.SIGSTOP)
        await wait_until(lambda: is_polling(supervisor))
        await stop([supervisor], 5.1)
        if dies:
            await adapter.wait_log("died")
        signal_all(workers, signal.SIGCONT)
        await wait_until(lambda: not is_polling(supervisor))
        status, _ = await get(runtime, "/")

    assert status == 200
    assert ("died" in adapter.log) is dies
