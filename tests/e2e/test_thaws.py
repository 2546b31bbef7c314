"""An environment that is frozen, and thaws when its server's timers are due."""

import pytest

from tests.e2e.life import apache, freeze, get, gunicorn, open_life, tree

CLOSING = [
    pytest.param(gunicorn("--threads", "2"), 2.0, id="gunicorn, threads"),
    pytest.param(gunicorn("--threads", "2", "--keep-alive", "1"), 1.0, id="1 s"),
    pytest.param(apache, 1.0, id="Apache"),
]
"""Servers, and after how many seconds they close an idle connection."""


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET"])
@pytest.mark.parametrize(("command", "seconds"), CLOSING)
async def test_no_request_meets_a_closing_connection(
    runtime, tmp_path, command, seconds, method
):
    """A request at the thaw is served, though the server closes what was idle."""
    async with open_life(runtime, tmp_path, command) as adapter:
        statuses = []
        for _ in range(5):
            await get(runtime, "/", method="POST")
            await freeze(adapter, seconds + 0.1)
            statuses.append((await get(runtime, "/", method=method))[0])

    assert set(statuses) <= {200, 204}
    assert "ERROR" not in adapter.log


@pytest.mark.parametrize("kind", ["sync", "gthread"])
async def test_gunicorn_without_a_timeout(runtime, tmp_path, kind):
    """A worker of gunicorn with ``--timeout 0`` lasts, however long it is frozen."""
    command = gunicorn("--worker-class", kind)
    async with open_life(runtime, tmp_path, command) as adapter:
        await get(runtime, "/")
        before = tree(adapter.process.pid)
        await freeze(adapter, 3)
        status, _ = await get(runtime, "/")
        after = tree(adapter.process.pid)

    assert status == 200
    assert before == after
    assert "WORKER TIMEOUT" not in adapter.log
