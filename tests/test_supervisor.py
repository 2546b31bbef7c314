"""``supervisor``: the adapter as a whole, from its start to its end."""

import json
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest
import trio

import lambda_adapter
from tests.adapter import PUPPET, free_port, open_adapter
from tests.fake_runtime_api import (
    EVENT_NEXT,
    INIT_ERROR,
    NEXT,
    REGISTER,
    FakeRuntimeApi,
    open_fake_runtime_api,
)
from tests.scripted_app import FAULTS, OK, Answer, open_app

NOT_YET = Answer(b"HTTP/1.1 503 Not Yet\r\ncontent-length: 0\r\n\r\n", "keep")
MAIN = lambda_adapter.__path__[0] + "/__main__.py"
SQS = {"Records": [{"eventSource": "aws:sqs", "body": "message"}]}


def http_event(path="/", body=None, method="POST", **headers):
    return {
        "version": "2.0",
        "requestContext": {"domainName": "example.com", "http": {"method": method}},
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body,
    }


def of_kind(runtime, *kinds):
    return [each for each in runtime.posted if each.kind in kinds]


async def wait_end(pid):
    """Wait until a process has ended, which need not be a child of this one."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(10):
            await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


@asynccontextmanager
async def invoking(runtime: FakeRuntimeApi, payload: object):
    """Have an invocation under way that is not answered."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runtime.invoke, payload)
        yield
        nursery.cancel_scope.cancel()


async def test_serves(runtime):
    """Events of either kind go to the application, and its answers to Lambda."""
    async with open_adapter(runtime.address) as adapter:
        http = await runtime.invoke(http_event("/path", "text"))
        other = await runtime.invoke(SQS)
        await adapter.wait_log("INFO the application is ready after ")

    assert (http.json()["statusCode"], http.json()["body"]) == (200, "text")
    assert json.loads(other.body) == SQS


async def test_registers_as_an_extension(runtime):
    """Before the first ``/next``, it registers for no events, and waits for one.

    That takes a connection of its own, which asks for nothing more.
    """
    async with open_adapter(runtime.address):
        await runtime.invoke(SQS)
        await runtime.invoke(SQS)

    kinds = [each.target for each in runtime.posted]
    (register,) = [each for each in runtime.posted if each.target == REGISTER]
    (event_next,) = [each for each in runtime.posted if each.target == EVENT_NEXT]
    assert register.json() == {"events": []}
    assert register.fields["lambda-extension-name"] == "lambda-adapter-runtime"
    assert event_next.fields["lambda-extension-identifier"] == "an-extension"
    assert kinds.index(REGISTER) < kinds.index(NEXT)
    invocations = {each.connection for each in of_kind(runtime, "response")}
    assert register.connection == event_next.connection
    assert register.connection not in invocations
    assert len(invocations) == 1


async def test_init_does_not_end_before_the_registration(runtime):
    """The first ``/next`` ends the init, and with it the time for registrations."""
    runtime.held[REGISTER] = trio.Event()

    async with open_adapter(runtime.address) as adapter:
        await adapter.wait_log("the application is ready")
        with trio.move_on_after(0.1) as scope:
            await runtime.wait_posted(NEXT)
        assert scope.cancelled_caught
        runtime.held[REGISTER].set()

        await runtime.wait_posted(NEXT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\n{}", id="forbidden"),
        pytest.param(b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}", id="failing"),
        pytest.param(b"220 smtp.example.com\r\n", id="garbage"),
        pytest.param(b"", id="hung up"),
    ],
)
async def test_refused_extension(runtime, answer):
    """Without it, there is no SIGTERM; that is a warning, and all else works."""
    runtime.scripted[REGISTER].append(answer)

    async with open_adapter(runtime.address) as adapter:
        posted = await runtime.invoke(SQS)
        await adapter.wait_log("WARN Lambda will not send SIGTERM")

    assert json.loads(posted.body) == SQS


async def test_unknown_setting(runtime):
    """A name that nobody knows is a warning, with the nearest one, and no more."""
    async with open_adapter(runtime.address, AWS_LWA_PASS_TRHOUGH_PATH="/x") as adapter:
        posted = await runtime.invoke(SQS)
        await adapter.wait_log(
            "WARN AWS_LWA_PASS_TRHOUGH_PATH is not a setting of this adapter;"
            " did you mean AWS_LWA_PASS_THROUGH_PATH?\n"
        )

    assert json.loads(posted.body) == SQS


async def test_json_log(runtime):
    """The log is JSON where Lambda asks for it, and names the invocation."""
    async with open_adapter(
        runtime.address, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="ERROR"
    ) as adapter:
        await runtime.invoke(b"garbage")
        log = await adapter.wait_log("\n")

    line = json.loads(log)
    assert (line["level"], line["requestId"]) == ("ERROR", "request-1")
    assert line["message"].startswith("Runtime.EventError: ")


async def test_nothing_but_checks_until_ready(runtime):
    """No event is asked for, and none can arrive, before the application is ready."""
    early: list[object] = []

    async with (
        open_app(*[NOT_YET] * 5) as app,
        open_adapter(runtime.address, [], port=app.port),
        invoking(runtime, SQS),
    ):
        for number in range(1, 6):
            await app.wait_requests(number)
            early += [each for each in runtime.posted if each.target == NEXT]
        await runtime.wait_posted("/response")

    assert early == []
    lines = [request.line for request in app.requests]
    assert lines == [b"GET / HTTP/1.1"] * 6 + [b"POST /events HTTP/1.1"]


async def test_first_request(runtime):
    """The first request that is no check is the first event's."""
    async with open_adapter(runtime.address, AWS_LWA_PASS_THROUGH_PATH="/count"):
        posted = await runtime.invoke(SQS)

    assert posted.body == b"0"


async def test_attached(runtime, tmp_path):
    """Without a command, it serves what somebody else started, when that is ready.

    It registers under the name of its own file, as an external extension must.
    """
    file = tmp_path / "an-extension"
    file.symlink_to(MAIN)
    command = [sys.executable, str(file)]
    port = free_port()

    async with open_adapter(runtime.address, [], adapter=command, port=port) as adapter:
        register = await runtime.wait_posted(REGISTER)
        await adapter.wait_log("no command was given")
        async with open_app(port=port):
            posted = await runtime.invoke(http_event())

    assert register.fields["lambda-extension-name"] == "an-extension"
    assert posted.json()["body"] == "ok"


async def test_attached_to_an_application_that_goes(runtime):
    """An application that is somebody else's may come back."""
    port = free_port()
    async with open_adapter(runtime.address, [], port=port):
        async with open_app(port=port):
            first = await runtime.invoke(http_event())
        second = await runtime.invoke(http_event())
        async with open_app(port=port):
            third = await runtime.invoke(http_event())

    statuses = [each.json()["statusCode"] for each in (first, second, third)]
    assert statuses == [200, 502, 200]


async def test_attached_and_ended(runtime):
    """On SIGTERM, it ends itself, and leaves the application to whoever started it."""
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        await runtime.wait_posted(NEXT)

        adapter.process.send_signal(signal.SIGTERM)

        assert await adapter.wait() == 0


async def test_proxy_of_the_runtime_api(runtime):
    """Invocations go through a proxy where one is set, the registration does not."""
    async with (
        open_fake_runtime_api() as proxy,
        open_adapter(runtime.address, AWS_LWA_LAMBDA_RUNTIME_API_PROXY=proxy.address),
    ):
        await proxy.invoke(SQS)
        await runtime.wait_posted(EVENT_NEXT)

    assert {each.kind for each in proxy.posted} == {"next", "response"}
    assert [each.target for each in runtime.posted] == [REGISTER, EVENT_NEXT]


@pytest.mark.parametrize(
    ("command", "how"),
    [
        (["true"], "exited with status 0"),
        (["sh", "-c", "exit 3"], "exited with status 3"),
        (["sh", "-c", "kill -9 $$"], "was ended by SIGKILL; was it out of memory?"),
        (["sh", "-c", "kill -15 $$"], "was ended by SIGTERM"),
        (["sh", "-c", "kill -40 $$"], "was ended by signal 40"),
    ],
)
async def test_ended_before_ready(runtime, command, how):
    """Lambda is told how the application ended, and why it was not ready until then.

    No event is asked for, which there would be nobody to answer.
    """
    async with open_adapter(runtime.address, command) as adapter:
        assert await adapter.wait() == 1

    (posted,) = [each for each in runtime.posted if each.target == INIT_ERROR]
    message = str(posted.json()["errorMessage"])
    assert message == (
        f"the application {how} before it was ready; last check:"
        f" no connection to 127.0.0.1:{adapter.port}: Connection refused"
    )
    assert posted.json()["errorType"] == "Runtime.AppNotReadyError"
    assert of_kind(runtime, "next") == [
        each for each in runtime.posted if each.target == EVENT_NEXT
    ]
    assert f"ERROR Runtime.AppNotReadyError: {message}\n" in adapter.log


async def test_ended_before_ready_where_nobody_can_know_how(runtime):
    """Whoever ignores SIGCHLD loses statuses; that it ended is told all the same."""
    ignore = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    adapter = (sys.executable, "-c", ignore, "-m", "lambda_adapter")
    async with open_adapter(runtime.address, ["false"], adapter=adapter) as running:
        assert await running.wait() == 1

    posted = await runtime.wait_posted(INIT_ERROR)
    assert "ended, how nobody knows" in str(posted.json()["errorMessage"])


async def test_refused_init_error(runtime):
    """Where Lambda does not want to know, it ends all the same."""
    runtime.scripted[INIT_ERROR].append(b"")

    async with open_adapter(runtime.address, ["true"]) as adapter:
        assert await adapter.wait() == 1


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/exit/3", "exited with status 3"),
        ("/kill", "was ended by SIGKILL; was it out of memory?"),
    ],
)
async def test_ended_while_serving(runtime, path, how):
    """No other event is taken than the one that it died of, and the adapter ends.

    Who answers that one, the adapter or Lambda, is a matter of microseconds.
    """
    async with (
        open_adapter(runtime.address) as adapter,
        invoking(runtime, http_event(path)),
    ):
        assert await adapter.wait() == 1

    line = f"Runtime.AppExitedError: the application {how} while it was serving"
    assert f"ERROR {line}\n" in adapter.log
    assert [each for each in runtime.posted if each.target == INIT_ERROR] == []
    assert len([each for each in runtime.posted if each.target == NEXT]) == 1


async def test_killed_while_idle(runtime):
    """An application that ends between two events is noticed at once."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.invoke(SQS)
        os.kill(adapter.child(), signal.SIGKILL)

        assert await adapter.wait() == 1

    assert "Runtime.AppExitedError" in adapter.log


async def test_lambda_says_all_is_lost(runtime, tmp_path):
    """On status 500 it ends the application, and itself."""
    log = tmp_path / "log"
    raw = b"HTTP/1.1 500 Gone\r\ncontent-length: 2\r\n\r\n{}"
    runtime.scripted["/response"].append(raw)

    async with (
        open_adapter(runtime.address, PUPPET_LOG=str(log)) as adapter,
        invoking(runtime, SQS),
    ):
        assert await adapter.wait() == 1

    assert "ERROR Runtime.RuntimeApiError: Lambda says" in adapter.log
    assert log.read_text() == "SIGTERM\n"


async def sigterm(adapter, tmp_path):
    """Signal the adapter's process group, as Lambda does, and see it end well."""
    child = adapter.child()
    with trio.fail_after(5):
        os.killpg(adapter.process.pid, signal.SIGTERM)
        status = await adapter.process.wait()
        await wait_end(child)

    assert status == 0
    assert (tmp_path / "log").read_text() == "SIGTERM\n"


async def test_sigterm_while_idle(runtime, tmp_path):
    """The application gets SIGTERM, once, and the adapter ends with status 0."""
    async with open_adapter(
        runtime.address, PUPPET_LOG=str(tmp_path / "log"), PUPPET_LINGER="0.05"
    ) as adapter:
        await runtime.invoke(SQS)
        await sigterm(adapter, tmp_path)

    assert "INFO ending on SIGTERM\n" in adapter.log


async def test_sigterm_during_an_invocation(runtime, tmp_path):
    """So it is while the application has an event to answer."""
    async with (
        open_adapter(runtime.address, PUPPET_LOG=str(tmp_path / "log")) as adapter,
        invoking(runtime, http_event("/hang")),
    ):
        await adapter.wait_log("the puppet hangs")
        await sigterm(adapter, tmp_path)

    assert of_kind(runtime, "response", "error") == []


@pytest.mark.parametrize("answer", ["503", "hang"])
async def test_sigterm_during_readiness(runtime, tmp_path, answer):
    """So it is while the application is not ready; that is no init error."""
    async with open_adapter(
        runtime.address, PUPPET_LOG=str(tmp_path / "log"), PUPPET_READY=answer
    ) as adapter:
        await adapter.wait_log("the puppet is not ready")
        await sigterm(adapter, tmp_path)

    assert [each for each in runtime.posted if each.target == INIT_ERROR] == []


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_sigterm_twice(runtime, tmp_path, second):
    """A second signal, while the application ends, changes nothing."""
    async with open_adapter(
        runtime.address, PUPPET_LOG=str(tmp_path / "log"), PUPPET_LINGER="0.2"
    ) as adapter:
        await runtime.wait_posted(NEXT)
        os.kill(adapter.process.pid, signal.SIGTERM)
        await adapter.wait_log("the puppet ends")
        os.kill(adapter.process.pid, second)

        assert await adapter.wait() == 0

    assert (tmp_path / "log").read_text() == "SIGTERM\n"
    assert "Traceback" not in adapter.log


async def test_sigterm_that_is_ignored(runtime, tmp_path):
    """An application that ignores it is killed, before Lambda kills the adapter."""
    async with open_adapter(
        runtime.address, PUPPET_LOG=str(tmp_path / "log"), PUPPET_IGNORE_TERM="1"
    ) as adapter:
        await runtime.wait_posted(NEXT)
        await sigterm(adapter, tmp_path)

    assert "WARN the application did not end on SIGTERM; sending SIGKILL" in adapter.log


async def test_sigint(runtime):
    """SIGINT ends it as well, without a traceback."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.wait_posted(NEXT)
        adapter.process.send_signal(signal.SIGINT)

        assert await adapter.wait() == 0

    assert "Traceback" not in adapter.log


async def test_nothing_is_left_behind(runtime, tmp_path):
    """What the application started ends with it, even if it does not want to."""
    other = tmp_path / "other"
    script = f"(trap '' TERM; cat {other}) & echo $! >&2; exec \"$@\""
    os.mkfifo(other)
    command = ["sh", "-c", script, "sh", *PUPPET]

    async with open_adapter(runtime.address, command) as adapter:
        await runtime.wait_posted(NEXT)
        grandchild = int(adapter.log.split()[0])
        os.kill(grandchild, 0)
        adapter.process.send_signal(signal.SIGTERM)
        assert await adapter.wait() == 0

        await wait_end(grandchild)


@pytest.mark.parametrize("event", [http_event, None], ids=["HTTP", "other"])
async def test_survives_every_fault_of_an_application(runtime, event):
    """However it misbehaves, short of ending, the next event is served.

    And all of that by one adapter, before one application.
    """
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        await runtime.invoke(SQS)
        for answer in FAULTS.values():
            app.answers += [answer, Answer(OK, "keep")]
            faulty = await runtime.invoke(event() if event else SQS)
            good = await runtime.invoke(event() if event else SQS)

            if event:
                assert faulty.json()["statusCode"] == 502
                assert good.json()["body"] == "ok"
            else:
                assert (faulty.kind, good.kind) == ("error", "response")
        assert adapter.process.poll() is None

    assert adapter.log.count("ERROR Runtime.AppRequestError") == len(FAULTS)
    assert len({each.target for each in of_kind(runtime, "response", "error")}) == (
        1 + 2 * len(FAULTS)
    )


async def test_survives_early_answers(runtime):
    """A request that the application refuses before it was sent is answered."""
    async with open_adapter(runtime.address) as adapter:
        refused = await runtime.invoke(http_event("/early", "x" * 5_000_000))
        following = await runtime.invoke(http_event("/path", "text"))

    assert (refused.json()["statusCode"], refused.json()["body"]) == (413, "early")
    assert following.json()["body"] == "text"
    assert adapter.log.count("ERROR") == 0
