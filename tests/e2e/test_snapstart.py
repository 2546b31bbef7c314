"""The SnapStart examples: what their hooks let go of, and what they make anew."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.adapter import open_adapter
from tests.catalogue import http_api
from tests.e2e.applications import EXAMPLES, need
from tests.fake_runtime_api import NEXT, RESTORE_NEXT
from tests.serve.invoke_loop.function import assert_refused

GUNICORN = str(Path(sys.executable).with_name("gunicorn"))
SNAPSTART: dict[str, Any] = {
    "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/snapstart/before",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snapstart/after",
}


def django(here: Path) -> list[str]:
    return [GUNICORN, "--no-control-socket", "--chdir", str(here), "app:app"]


def node(here: Path) -> list[str]:
    need("node")
    return ["node", str(here / "app.js")]


async def shown(runtime):
    """Return what the example shows of itself."""
    posted = await runtime.invoke(http_api())
    return json.loads(str(posted.json()["body"]))


@pytest.mark.parametrize("command", [django, node])
async def test_restored_environment(runtime, command):
    """A restored environment has its own ID and its own connections.

    Its hooks are closed to clients.
    """
    example = EXAMPLES / "snapstart" / command.__name__
    restored = trio.Event()
    runtime.held[RESTORE_NEXT] = restored
    async with open_adapter(
        runtime.address, command(example), stdout=None, **SNAPSTART
    ):
        await runtime.wait_posted(RESTORE_NEXT)
        assert NEXT not in [each.target for each in runtime.posted]
        restored.set()
        first = await shown(runtime)
        second = await shown(runtime)
        for hook in "/snapstart/before", "/snapstart/after":
            posted = await runtime.invoke(http_api("POST", hook))
            assert_refused(posted, 403, "Runtime.ClosedPathError")

    assert first["id"] == second["id"] != ""
    assert first["random"] != second["random"]
    if command is django:
        assert first["opened"] == 2
