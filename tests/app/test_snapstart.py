"""``snapstart``: the application before a snapshot, and after it was restored."""

import functools
import math
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import trio
import trio.testing

from lambda_adapter.app import snapstart
from lambda_adapter.app.app import Call
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.readiness import wait_app_ready
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AfterRestoreError,
    AppNotReadyError,
    BeforeCheckpointError,
    RuntimeApiError,
)
from lambda_adapter.http.messages import Request
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.runtime.client import RuntimeClient
from tests.adapter import PUPPET, open_adapter
from tests.catalogue import alb
from tests.fake_runtime_api import INIT_ERROR, NEXT, RESTORE_ERROR, RESTORE_NEXT
from tests.ports import free_port
from tests.scripted_app import OK, Answer, open_app

KEPT = Answer(OK, "keep")
GET = Request(b"GET", b"/", [(b"host", b"localhost")])
TURN = Call(Invocation("request-1", b"{}"), math.inf)
HOOKS: dict[str, Any] = {
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/before",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after",
}
SNAPSTART = HOOKS | {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}


def status(code: int) -> Answer:
    raw = b"HTTP/1.1 %d Whatever\r\ncontent-length: 0\r\n\r\n" % code
    return Answer(raw, "keep")


class Environment:
    """An execution environment around a snapshot, with an application in it."""

    def __init__(self, app, client, runtime, settings) -> None:
        self.app = app
        self.client = client
        self.runtime = runtime
        self.settings = settings
        self.checks = 0

    async def wait_restored(self) -> None:
        with trio.fail_after(math.inf):
            config = Config(self.settings)
            await snapstart.suspend_server(config, self.client)
            await self.runtime.wait_restored()
            await snapstart.resume_server(config, self.check)

    async def check(self) -> None:
        self.checks += 1

    def asked(self) -> list[bytes]:
        return [request.line for request in self.app.requests]


@asynccontextmanager
async def open_environment(runtime, *answers: Answer, settings=HOOKS):
    async with open_app(*answers) as app:
        with (
            closing(HttpTransport(("127.0.0.1", app.port), 60)) as client,
            closing(RuntimeClient("127.0.0.1", runtime.port)) as runtime_client,
        ):
            settings = {"AWS_LWA_PORT": str(app.port)} | settings
            yield Environment(app, client, runtime_client, settings)


async def test_hooks(runtime):
    """Before the snapshot one POST, after the restore another, and then a check.

    A hook has null for both contexts, by which an application recognises it, and the
    Host of a readiness check.
    """
    restored = runtime.held[RESTORE_NEXT] = trio.Event()
    async with open_environment(runtime) as environment:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(environment.wait_restored)
                await runtime.wait_posted(RESTORE_NEXT)
                assert environment.asked() == [b"POST /before HTTP/1.1"]
                restored.set()

    before, after = environment.app.requests
    assert after.line == b"POST /after HTTP/1.1"
    assert before.body == after.body == b""
    assert before.values(b"content-length") == [b"0"]
    assert b"SnapStart" in before.values(b"user-agent")[0]
    for hook in (before, after):
        assert hook.values(b"host") == [b"127.0.0.1:%d" % environment.app.port]
        assert hook.values(b"x-amzn-lambda-context") == [b"null"]
        assert hook.values(b"x-amzn-request-context") == [b"null"]
    assert environment.checks == 1


async def test_host_of_a_hook(runtime):
    """A hook's Host is the application's address."""
    settings = HOOKS | {"AWS_LWA_HOST": "localhost"}
    async with open_environment(runtime, settings=settings) as environment:
        with trio.fail_after(5):
            await environment.wait_restored()

    for hook in environment.app.requests:
        assert hook.values(b"host") == [b"localhost:%d" % environment.app.port]


async def test_without_hooks(runtime):
    """Without hooks there is still a snapshot, and a check after it."""
    async with open_environment(runtime, settings={}) as environment:
        with trio.fail_after(5):
            await environment.wait_restored()

    assert environment.app.requests == []
    assert environment.checks == 1
    assert [each.target for each in runtime.posted] == [RESTORE_NEXT]


async def test_no_connection_survives(runtime):
    """Connections are opened again after a restore."""
    async with open_environment(runtime, KEPT, KEPT, KEPT, KEPT) as environment:
        with trio.fail_after(5):
            await environment.client.send(GET, TURN)
            await environment.wait_restored()
            await environment.client.send(GET, TURN)

    assert [each.connection for each in environment.app.requests] == [1, 2, 3, 4]


REFUSALS = [
    pytest.param(status(500), "was answered with status 500", id="500"),
    pytest.param(status(404), "was answered with status 404", id="404"),
    pytest.param(status(302), "was answered with status 302", id="302"),
    pytest.param(Answer(b""), "closed the connection", id="hangs up"),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSALS)
async def test_refused_before(runtime, answer, reason):
    """No snapshot is taken if the hook before it fails."""
    async with open_environment(runtime, answer) as environment:
        with trio.fail_after(5), pytest.raises(BeforeCheckpointError) as caught:
            await environment.wait_restored()

    assert str(caught.value).startswith("POST /before failed: ")
    assert reason in str(caught.value)
    assert runtime.posted == []


@pytest.mark.parametrize(("answer", "reason"), REFUSALS)
async def test_refused_after(runtime, answer, reason):
    """An application whose hook failed after the restore serves no request."""
    async with open_environment(runtime, KEPT, answer) as environment:
        with trio.fail_after(5), pytest.raises(AfterRestoreError) as caught:
            await environment.wait_restored()

    assert str(caught.value).startswith("POST /after failed: ")
    assert reason in str(caught.value)
    assert environment.checks == 0


async def test_hook_that_is_never_answered(clock, runtime, caplog):
    """A hook before a snapshot has the init's timeout, and the log names it."""
    async with open_environment(runtime, Answer(b"", "hold")) as environment:
        with pytest.raises(BeforeCheckpointError, match="not answered within 900 s"):
            await environment.wait_restored()

    assert trio.current_time() == pytest.approx(900, abs=1)
    assert [line.getMessage() for line in caplog.records] == [
        "POST /before was not answered within 2 s; it may take 900 s"
    ]


async def test_restore_that_is_never_answered(clock, runtime, caplog):
    """A restore fails before Lambda's 10 s, and the log names the reason."""
    async with open_environment(runtime, KEPT, Answer(b"", "hold")) as environment:
        with pytest.raises(AfterRestoreError, match=r"not answered within 9\.5 s"):
            await environment.wait_restored()

    assert trio.current_time() == pytest.approx(9.5, abs=0.1)
    assert [line.getMessage() for line in caplog.records] == [
        "POST /after was not answered within 2 s; it may take 9.5 s"
    ]


async def test_hook_and_check_share_the_time_of_a_restore(clock, runtime):
    """The hook after a restore and the check after it end within 9.5 s together."""
    async with open_environment(runtime, KEPT, Answer(b"", "more")) as environment:
        environment.check = trio.sleep_forever

        async def answer_late() -> None:
            await environment.app.wait_requests(2)
            with trio.move_on_after(5):
                await trio.sleep_forever()
            await environment.app.say(OK, "keep")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer_late)
            with pytest.raises(AfterRestoreError, match=r"not ready again .* 9\.5 s"):
                await environment.wait_restored()

    assert trio.current_time() == pytest.approx(9.5, abs=0.1)


async def test_application_that_hangs_after_a_restore(clock):
    """A real application that never responds to the hook is a failed restore."""
    port = free_port()
    settings = {"AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/hang"}
    config = Config({"PORT": str(port), **settings})
    check = functools.partial(wait_app_ready, config, None)
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.run_process, [*PUPPET, str(port)])
        await check()
        with pytest.raises(AfterRestoreError, match="POST /hang was not answered"):
            await snapstart.resume_server(config, check)
        nursery.cancel_scope.cancel()


async def test_not_ready_again(runtime):
    """An application that does not get ready again is a failed restore, too."""
    async with open_environment(runtime) as environment:

        async def never() -> None:
            raise AppNotReadyError("it was not ready within 3 s")

        environment.check = never
        with trio.fail_after(5), pytest.raises(AfterRestoreError, match="within 3 s"):
            await environment.wait_restored()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Nope\r\ncontent-length: 2\r\n\r\n{}", "status 404 {}"),
        (b"", "closed the connection"),
    ],
)
async def test_lambda_does_not_restore(runtime, answer, reason):
    """The adapter ends if Lambda refuses to restore."""
    runtime.scripted[RESTORE_NEXT].append(answer)
    async with open_environment(runtime) as environment:
        with trio.fail_after(5), pytest.raises(RuntimeApiError) as caught:
            await environment.wait_restored()

    assert "Lambda did not restore" in str(caught.value)
    assert reason in str(caught.value)


async def test_events_come_after_the_restore(runtime):
    """A snapshot's order is: ready, hook, restored, hook, ready again, then events."""
    restored = runtime.held[RESTORE_NEXT] = trio.Event()
    async with open_adapter(
        runtime.address, AWS_LWA_ASYNC_INIT="true", **SNAPSTART
    ) as adapter:
        await runtime.wait_posted(RESTORE_NEXT)
        assert [each for each in runtime.posted if each.target == NEXT] == []
        restored.set()
        posted = await runtime.invoke({"count": 1})
        log = await adapter.wait_log("restored from a snapshot")
        counted = await runtime.invoke(alb("GET", "/count"))
        closed = await runtime.invoke(alb("POST", "//AFTER"))

    assert posted.json() == {"count": 1}
    assert counted.json()["body"] == "3"  # two hooks and an event
    assert closed.json()["statusCode"] == 403
    assert log.count("the application is ready after") == 2
    assert "AWS_LWA_ASYNC_INIT does nothing" in log


async def test_hooks_mean_nothing_without_snapstart(runtime):
    """Without SnapStart neither hook is called, and nothing is asked of Lambda."""
    async with open_adapter(runtime.address, **HOOKS):
        counted = await runtime.invoke(alb("GET", "/count"))

    assert counted.json()["body"] == "0"
    assert [each for each in runtime.posted if each.target == RESTORE_NEXT] == []


@pytest.mark.parametrize(
    ("hook", "target", "error_type"),
    [
        ("BEFORE_CHECKPOINT", INIT_ERROR, "Runtime.BeforeCheckpointError"),
        ("AFTER_RESTORE", RESTORE_ERROR, "Runtime.AfterRestoreError"),
    ],
)
async def test_failed_hook(runtime, hook, target, error_type):
    """A failed hook is reported with its phase and reason, and the process ends."""
    settings: dict[str, Any] = SNAPSTART | {f"AWS_LWA_SNAPSTART_{hook}_PATH": "/say"}
    async with open_adapter(runtime.address, **settings) as adapter:
        posted = await runtime.wait_posted(target)
        status = await adapter.wait()

    assert status == 1
    assert posted.json()["errorType"] == error_type
    assert str(posted.json()["errorMessage"]).startswith("POST /say failed: ")
    assert [each for each in runtime.posted if each.target == NEXT] == []


@pytest.mark.parametrize(
    ("hook", "target"),
    [("BEFORE_CHECKPOINT", INIT_ERROR), ("AFTER_RESTORE", RESTORE_ERROR)],
)
async def test_hook_that_ends_the_application(runtime, hook, target):
    """A hook in which the application exits is reported with its exit status."""
    settings = SNAPSTART | {f"AWS_LWA_SNAPSTART_{hook}_PATH": "/exit/4"}
    async with open_adapter(runtime.address, **settings) as adapter:
        assert await adapter.wait() == 1
        (posted,) = [each for each in runtime.posted if each.target == target]

    assert posted.json()["errorMessage"] == (
        "POST /exit/4 failed: it closed the connection without a response; the"
        " application exited with status 4"
    )
