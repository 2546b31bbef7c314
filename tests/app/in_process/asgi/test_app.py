"""``app``: an ASGI application in the adapter's process, from its start to its end."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import trio

from tests.adapter import open_adapter
from tests.app.calls import http_event, serve_beside_a_stuck_one
from tests.emulator import PROJECT
from tests.fake_runtime_api import INIT_ERROR, NEXT, RESTORE_ERROR, RESTORE_NEXT

PROGRAMS = str(PROJECT / "tests" / "programs")
LOOPS = ["asyncio", "trio"] + ["trio-asyncio"] * (sys.version_info < (3, 14))


def open_app(runtime, *options, name="asgi_app:app", **environ):
    """Start the adapter with an application in its process."""
    command = ["--app-dir", PROGRAMS, "--asgi", name, *options]
    return open_adapter(runtime.address, command, **environ)


def soon(seconds):
    """Return a deadline as Lambda gives it."""
    return {"lambda_runtime_deadline_ms": str(int((time.time() + seconds) * 1000))}


@pytest.mark.parametrize("loop", LOOPS)
async def test_life(runtime, loop):
    """An application starts once, has its state in each request, and shuts down."""
    async with open_app(runtime, AWS_LWA_ASGI_LOOP=loop) as adapter:
        posted = [await runtime.invoke(http_event("/show/a%20b")) for _ in range(2)]
        adapter.process.send_signal(signal.SIGTERM)

        assert await adapter.wait() == 0

    shown = [json.loads(str(each.json()["body"])) for each in posted]
    assert [each["state"] for each in shown] == ["{'started': 1}"] * 2
    assert [each["path"] for each in shown] == ["'/show/a b'"] * 2
    assert shown[1]["aws.event"] == http_event("/show/a%20b")
    assert shown[1]["aws.context"] == ["request-2", "function", True]
    assert "shut down" in adapter.log


async def test_no_event_is_taken_before_the_work_is_done(runtime):
    """The reply is posted immediately; ``/next`` waits for the work after it."""
    async with open_app(runtime) as adapter:
        await runtime.invoke(http_event("/background", "0.4"))
        await adapter.wait_log("background begins")
        with trio.move_on_after(0.1) as scope:
            await runtime.wait(lambda: runtime.polls == 1)
        at_the_next_event = adapter.log
        await runtime.invoke(http_event("/stream"))

    assert scope.cancelled_caught
    assert "background ends" not in at_the_next_event
    assert "background ends" in adapter.log


@pytest.mark.parametrize("loop", LOOPS)
async def test_deadline(runtime, loop):
    """The client of a late request gets a 504 before Lambda's deadline."""
    async with open_app(runtime, AWS_LWA_ASGI_LOOP=loop):
        await runtime.wait(lambda: runtime.polls == 1)
        late = await runtime.invoke(http_event("/hangs"), **soon(0.4))
        after = await runtime.invoke(http_event("/stream"))

    assert (late.json()["statusCode"], after.json()["statusCode"]) == (504, 200)


@pytest.mark.parametrize("loop", LOOPS)
async def test_stubborn_request(runtime, loop):
    """An application that can't be cancelled ends the process, after the reply."""
    async with open_app(runtime, AWS_LWA_ASGI_LOOP=loop) as adapter:
        await runtime.wait(lambda: runtime.polls == 1)
        late = await runtime.invoke(http_event("/forever"), **soon(0.4))
        status = await adapter.wait()

    assert late.json()["statusCode"] == 504
    assert status != 0
    assert "the application goes on, although it was cancelled" in adapter.log


@pytest.mark.parametrize("loop", LOOPS)
async def test_stubborn_shutdown(runtime, loop):
    """An application that does not shut down can't keep the process."""
    async with open_app(
        runtime, name="asgi_app:stubborn", AWS_LWA_ASGI_LOOP=loop
    ) as adapter:
        await runtime.wait_posted(NEXT)
        adapter.process.send_signal(signal.SIGTERM)

        await adapter.wait()

    assert "the application did not shut down in time" in adapter.log


TRACE = """
import os

def trace():
    return os.environ.get("_X_AMZN_TRACE_ID", "none").encode()

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": trace()})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [trace()]
"""


@pytest.mark.parametrize(
    ("concurrency", "expected"),
    [(1, ["Root=1-1", "Root=1-2", "none"]), (4, ["none"] * 3)],
)
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_trace_in_the_environment(runtime, tmp_path, kind, concurrency, expected):
    """The invocation's trace is in the variable in which X-Ray's SDK looks for it.

    Of several concurrent invocations, none is.
    """
    (tmp_path / "app.py").write_text(TRACE)
    command = ["--app-dir", str(tmp_path), f"--{kind}", f"app:{kind}"]
    runtime.max_polls = concurrency
    async with open_adapter(
        runtime.address, command, AWS_LAMBDA_MAX_CONCURRENCY=str(concurrency)
    ):
        posted = [
            await runtime.invoke(http_event(), lambda_runtime_trace_id="Root=1-1"),
            await runtime.invoke(http_event(), lambda_runtime_trace_id="Root=1-2"),
            await runtime.invoke(http_event()),
        ]

    assert [each.json()["body"] for each in posted] == expected


async def test_no_lifespan(runtime):
    """An application without a lifespan is served, and has no state."""
    async with open_app(runtime, name="asgi_app:plain"):
        posted = await runtime.invoke(http_event())

    assert posted.json()["body"] == "none"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("asgi_app:failing", "AppNotReadyError", "startup failed: no database"),
        ("asgi_app:failing_oddly", "AppNotReadyError", "startup failed: no ?"),
        ("asgi_app:slow", "AppNotReadyError", "not complete after 0.2 s"),
        ("asgi_app:nothing", "AppImportError", "no attribute 'nothing'"),
        ("no_such_app:app", "AppImportError", "No module named 'no_such_app'"),
    ],
)
async def test_init_errors(runtime, name, kind, reason):
    """An init error says why an application did not start."""
    async with open_app(
        runtime, name=name, AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="0.2"
    ) as adapter:
        status = await adapter.wait()

    posted = await runtime.wait_posted(INIT_ERROR)
    assert status == 1
    assert posted.json()["errorType"] == f"Runtime.{kind}"
    assert reason in str(posted.json()["errorMessage"])
    assert f"Runtime.{kind}" in adapter.log


async def test_no_shutdown_after_a_startup_that_failed(runtime):
    """An application that reports a failed startup is not shut down."""
    async with open_app(runtime, name="asgi_app:failing_on") as adapter:
        assert await adapter.wait() == 1

    assert "lifespan.shutdown" not in adapter.log


SIDE_WORK = [
    ("--asgi", "asgi_app:app", "/background", "background ends"),
    ("--wsgi", "wsgi_app:app", "/closing", "closed"),
]


@pytest.mark.parametrize(("option", "name", "path", "done"), SIDE_WORK)
async def test_hook_is_finished_before_the_snapshot(runtime, option, name, path, done):
    """A hook's work after its response is complete before the snapshot."""
    runtime.held[RESTORE_NEXT] = trio.Event()
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, option, name],
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH=path,
    ) as adapter:
        await runtime.wait_posted(RESTORE_NEXT)
        await adapter.wait_log(done)


@pytest.mark.parametrize(("option", "name", "path", "done"), SIDE_WORK)
async def test_work_after_the_reply_is_finished(runtime, option, name, path, done):
    """The work after the reply runs to its last step before the next event."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, option, name],
        AWS_LWA_AFTER_REPLY_PATH=path,
    ) as adapter:
        await runtime.invoke(http_event("/asks_for_work"))
        await runtime.wait(lambda: runtime.polls == 1)
        await adapter.wait_log(done)


async def test_work_after_the_reply_that_is_given_up(runtime):
    """Late work after the reply is cancelled, and the environment continues."""
    async with open_app(runtime, AWS_LWA_AFTER_REPLY_PATH="/hangs") as adapter:
        await runtime.wait(lambda: runtime.polls == 1)
        await runtime.invoke(http_event("/asks_for_work"), **soon(1))
        await adapter.wait_log("hangs: CancelledError")
        after = await runtime.invoke(http_event("/stream"))

    assert after.json()["statusCode"] == 200


async def test_traceback_of_an_import(runtime):
    """The log has the traceback of an application that can't be imported."""
    async with open_app(runtime, name="no_such_app:app") as adapter:
        await adapter.wait()

    assert "Traceback (most recent call last)" in adapter.log


async def test_settings_in_place_of_options(runtime):
    """Without a command line, the settings name the application."""
    async with open_adapter(
        runtime.address,
        [],
        AWS_LWA_ASGI_APP="asgi_app:create()",
        LAMBDA_TASK_ROOT=PROGRAMS,
    ):
        posted = await runtime.invoke(http_event("/stream"))

    assert posted.json()["statusCode"] == 200


async def test_several_invocations_at_once(runtime):
    """Concurrent invocations in one process have their own deadlines."""
    runtime.max_polls = 4
    async with open_app(runtime, AWS_LAMBDA_MAX_CONCURRENCY="4") as adapter:
        results = []

        async def invoke(path, seconds):
            posted = await runtime.invoke(http_event(path), **soon(seconds))
            results.append((path, posted.json()["statusCode"]))

        await runtime.wait(lambda: runtime.polls == 4)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(invoke, "/hangs", 0.6)
            nursery.start_soon(invoke, "/hangs", 0.4)
            nursery.start_soon(invoke, "/stream", 20)
            nursery.start_soon(invoke, "/background", 20)

    assert sorted(results) == [
        ("/background", 200),
        ("/hangs", 504),
        ("/hangs", 504),
        ("/stream", 200),
    ]
    assert "AppStuckError" not in adapter.log


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_one_that_can_not_be_ended_among_several(runtime, tmp_path, loop, mode):
    """Requests beside one that can't be ended are served; then the process ends."""
    runtime.max_polls = 5
    async with open_app(
        runtime,
        AWS_LAMBDA_MAX_CONCURRENCY="5",
        AWS_LWA_ASGI_LOOP=loop,
        AWS_LWA_INVOKE_MODE=mode,
    ) as adapter:
        statuses, status = await serve_beside_a_stuck_one(
            runtime, adapter, "/forever", tmp_path / "file"
        )

    assert statuses == {0: 200, 1: 200, 2: 200, "stuck": 504}
    assert status != 0
    assert adapter.log.count("the application goes on, although") == 1


async def test_base_path(runtime):
    """The removed prefix is the scope's root path, and part of its path."""
    async with open_app(runtime, AWS_LWA_REMOVE_BASE_PATH="/show"):
        posted = await runtime.invoke(http_event("/show/show/x"))

    shown = json.loads(str(posted.json()["body"]))
    assert shown["root_path"] == "'/show'"
    assert shown["path"] == "'/show/show/x'"
    assert shown["raw_path"] == "b'/show/show/x'"


async def test_stream(runtime):
    """A response is streamed to Lambda while it arrives."""
    async with open_app(runtime, AWS_LWA_INVOKE_MODE="response_stream"):
        posted = await runtime.invoke(http_event("/stream"))
        broken = await runtime.invoke(http_event("/raises_within"))

    assert posted.content() == b"piece 0\npiece 1\npiece 2\n"
    assert broken.content() == b"half"
    assert dict(broken.trailers)["Lambda-Runtime-Function-Error-Type"]


async def test_failed_event(runtime):
    """An event that is not HTTP fails with its application, and is sent again."""
    async with open_app(runtime, AWS_LWA_PASS_THROUGH_PATH="/raises"):
        posted = await runtime.invoke({"Records": []})

    assert posted.kind == "error"


async def test_failure_as_an_error_status(runtime):
    """A failure is a 500 to AWS_LWA_ERROR_STATUS_CODES as well."""
    async with open_app(runtime, AWS_LWA_ERROR_STATUS_CODES="500-599"):
        posted = await runtime.invoke(http_event("/raises"))

    assert posted.kind == "error"


@pytest.mark.parametrize(
    ("kind", "name"), [("--asgi", "asgi_app:app"), ("--wsgi", "wsgi_app:app")]
)
async def test_snapshot(runtime, kind, name):
    """An application is called before a snapshot, and after it was restored."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, kind, name],
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH="/before",
        AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH="/after",
    ) as adapter:
        await runtime.invoke(http_event("/stream"))

    hooks = [line for line in adapter.log.splitlines() if "hook" in line]
    assert hooks == ["hook /before null", "hook /after null"]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [("/raises", "/after", "before"), ("/before", "/raises", "after")],
)
async def test_snapshot_that_is_not_to_be(runtime, before, after, kind):
    """An application whose hook fails is not served."""
    async with open_app(
        runtime,
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH=before,
        AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH=after,
    ) as adapter:
        assert await adapter.wait() == 1

    posted = await runtime.wait_posted(
        INIT_ERROR if kind == "before" else RESTORE_ERROR
    )
    assert "/raises failed" in str(posted.json()["errorMessage"])


def test_nothing_of_it_is_loaded_with_a_command():
    """With a command, nothing is imported of what runs applications in this process."""
    code = (
        "import sys, lambda_adapter.serve.supervisor\n"
        "print([n for n in sys.modules if 'asgi' in n or 'wsgi' in n or n =="
        " 'asyncio'])"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout == "[]\n"
