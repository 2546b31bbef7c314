"""Long request contexts, and the servers that refuse them by default."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapter import open_adapter
from tests.catalogue import rest_api
from tests.e2e.applications import Command, gunicorn, node, uvicorn
from tests.ports import free_port

Start = Callable[[int, Path], Command]

TAKEN = {200}
REFUSED = {431, 502}
"""The server's own status, or the adapter's where the server hung up meanwhile."""


@pytest.mark.parametrize(
    ("start", "size", "statuses"),
    [
        pytest.param(gunicorn("with_flask"), 8_000, TAKEN, id="gunicorn"),
        pytest.param(gunicorn("with_flask"), 8_190, REFUSED, id="gunicorn, too long"),
        pytest.param(
            gunicorn("with_flask", "--limit-request-field_size", "0"),
            8_190,
            REFUSED,
            id="gunicorn, 0",
        ),
        pytest.param(
            gunicorn("with_flask", "--limit-request-field_size", "65536"),
            60_000,
            TAKEN,
            id="gunicorn, raised",
        ),
        pytest.param(node("url"), 15_000, TAKEN, id="Node"),
        pytest.param(node("url"), 17_000, REFUSED, id="Node, too long"),
        pytest.param(
            node("url", "--max-http-header-size=65536"),
            60_000,
            TAKEN,
            id="Node, raised",
        ),
        pytest.param(
            uvicorn("with_fastapi", "--http", "h11"), 60_000, TAKEN, id="uvicorn"
        ),
        pytest.param(
            uvicorn(
                "with_fastapi",
                *("--http", "h11", "--h11-max-incomplete-event-size", "131072"),
            ),
            120_000,
            TAKEN,
            id="uvicorn, raised",
        ),
    ],
)
async def test_long_context(runtime, start: Start, size: int, statuses: set[int]):
    """Servers accept a request context as long as docs/reference/events.md says."""
    port = free_port()
    command, cwd = start(port, Path())
    context = {"authorizer": {"claims": "x" * size}}
    event = rest_api("POST", "/snapstart/after", requestContext=context)

    words = [os.fspath(word) for word in command]
    async with open_adapter(runtime.address, words, port=port, PYTHONPATH=str(cwd)):
        posted = await runtime.invoke(event)

    assert posted.json()["statusCode"] in statuses
