"""``snapshot``: SnapStart's hooks of an application in this process."""

import random

import pytest
import trio

from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import PROGRAMS
from tests.fake_runtime_api import (
    INIT_ERROR,
    NEXT,
    RESTORE_ERROR,
    open_fake_runtime_api,
)

KINDS = ["asgi", "wsgi"]
INLINE = {"AWS_LWA_WSGI_INLINE": "true"}
TRIO = {"AWS_LWA_ASGI_LOOP": "trio"}


def open_app(runtime, kind, hooks="", before="/before", after="/after", **environ):
    """Start the adapter where Lambda takes snapshots."""
    return open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, f"--{kind}", f"snapshot_app:{kind}"],
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH=before,
        AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH=after,
        HOOKS=hooks,
        **environ,
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_order(runtime, kind):
    """Hooks of AWS's library run in reverse before the snapshot, in order after it."""
    async with open_app(runtime, kind) as adapter:
        await runtime.invoke(http_event("/first-event"))
        adapter.process.terminate()
        await adapter.wait()

    lines = [line for line in adapter.log.splitlines() if "lambda-adapter" not in line]
    assert lines[:8] == [
        "/before",
        "before, registered last",
        "before, registered first",
        "after, restored first",
        "after, registered last",
        "/after",
        "/first-event",
    ]


@pytest.mark.parametrize(
    ("kind", "environ"), [("asgi", {}), ("asgi", TRIO), ("wsgi", {}), ("wsgi", INLINE)]
)
async def test_hook_that_runs_coroutines(runtime, kind, environ):
    """A hook of AWS's library may run coroutines on asyncio."""
    async with open_app(runtime, kind, "runs", **environ) as adapter:
        await runtime.invoke(http_event("/first-event"))

    assert "on asyncio" in adapter.log


@pytest.mark.parametrize("kind", KINDS)
async def test_random_numbers(runtime, kind):
    """Restored environments do not share the random numbers of their snapshot."""
    async with open_app(runtime, kind):
        posted = await runtime.invoke(http_event("/random"))

    assert float(str(posted.json()["body"])) != random.Random(1).random()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("hooks", "target", "error", "reason"),
    [
        ("before raises", INIT_ERROR, "BeforeCheckpointError", "ConnectionError: no"),
        ("raises", RESTORE_ERROR, "AfterRestoreError", "ConnectionError: no database"),
        ("leaves", RESTORE_ERROR, "AfterRestoreError", "SystemExit: 3"),
    ],
)
async def test_failed_hook(runtime, kind, hooks, target, error, reason):
    """A failed hook of AWS's library is reported to Lambda, and nothing is served."""
    async with open_app(runtime, kind, hooks) as adapter:
        status = await adapter.wait()
        posted = await runtime.wait_posted(target)

    assert status == 1
    assert posted.json()["errorType"] == f"Runtime.{error}"
    assert reason in str(posted.json()["errorMessage"])
    assert "of snapshot_restore_py failed" in adapter.log
    assert "Traceback" in adapter.log
    assert adapter.log.count(f"ERROR Runtime.{error}") == 1
    assert [each.target for each in runtime.posted].count(target) == 1
    assert NEXT not in [each.target for each in runtime.posted]


ENDLESS = [
    ("asgi", "", "/blocks", {}),
    ("asgi", "", "/swallows", {}),
    ("asgi", "", "/hangs", {}),
    ("asgi", "", "/goes-on", {}),
    ("asgi", "", "/swallows", TRIO),
    ("asgi", "blocks", "/after", {}),
    ("wsgi", "", "/blocks", {}),
    ("wsgi", "", "/closes", {}),
    ("wsgi", "", "/blocks", INLINE),
    ("wsgi", "", "/closes", INLINE),
    ("wsgi", "blocks", "/after", {}),
]
"""Hooks after a restore that do not end: what they are, and what they hold up."""


@pytest.mark.e2e  # Lambda's 10 s for a restore
async def test_hook_that_does_not_end():
    """A hook after a restore that never ends is reported to Lambda as failed."""
    told = {}

    async def restore(number, kind, hooks, path, environ):
        async with (
            open_fake_runtime_api() as runtime,
            open_app(runtime, kind, hooks, after=path, **environ) as adapter,
        ):
            posted = await runtime.wait_posted(RESTORE_ERROR)
            status = await adapter.wait()
            targets = [each.target for each in runtime.posted]
        told[number] = posted.json()["errorType"], targets.count(RESTORE_ERROR)
        assert status != 0
        assert NEXT not in targets

    with trio.fail_after(40):
        async with trio.open_nursery() as nursery:
            for number, case in enumerate(ENDLESS):
                nursery.start_soon(restore, number, *case)

    expected = ("Runtime.AfterRestoreError", 1)
    assert told == dict.fromkeys(range(len(ENDLESS)), expected)
