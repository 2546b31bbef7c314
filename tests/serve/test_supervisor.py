"""``supervisor``: the adapter as a whole, from its start to its end."""

import hashlib
import json
import os
import random
import re
import signal
import stat
import sys
import time
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

import lambda_adapter
from lambda_adapter.app.process import FOREGROUND
from lambda_adapter.app.server import ChildApp
from lambda_adapter.config import Config
from lambda_adapter.launcher import Child
from lambda_adapter.serve.signals import Signals
from lambda_adapter.serve.supervisor import run_until_stopped, supervise
from tests.adapter import PUPPET, open_adapter, peak_memory
from tests.catalogue import SQS, function_url, http_api
from tests.fake_runtime_api import (
    EVENT_NEXT,
    INIT_ERROR,
    NEXT,
    REGISTER,
    FakeRuntimeApi,
    Posted,
    open_fake_runtime_api,
    replied,
)
from tests.ports import free_port
from tests.scripted_app import (
    FAULTS,
    OK,
    Answer,
    open_app,
    open_server,
    receive,
)

NOT_YET = Answer(b"HTTP/1.1 503 Not Yet\r\ncontent-length: 0\r\n\r\n", "keep")
MAIN = lambda_adapter.__path__[0] + "/__main__.py"
LOST = replied(500)
CUT_OFF = r": cut off after \d\.\d\d s, because the environment ends RequestId: \S+-1\n"


def http_event(path="/", body=None, method="POST", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_api(method, path, body, fields)


def url_event(path="/", body=None, method="POST", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return function_url(method, path, body, fields)


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
    """Have an invocation under way that has no reply."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runtime.invoke, payload)
        yield
        nursery.cancel_scope.cancel()


async def test_serves(runtime):
    """Events of either kind go to the application, and its responses to Lambda."""
    async with open_adapter(runtime.address) as adapter:
        http = await runtime.invoke(http_event("/path", "text"))
        other = await runtime.invoke(SQS)
        await adapter.wait_log("INFO the application is ready after ")

    assert (http.json()["statusCode"], http.json()["body"]) == (200, "text")
    assert json.loads(other.body) == SQS


async def test_unix_socket(runtime, tmp_path):
    """An application may listen on a Unix socket, which is in its environment."""
    path = str(tmp_path / "app.sock")
    async with open_adapter(runtime.address, AWS_LWA_UNIX_SOCKET=path):
        posted = await runtime.invoke(http_event("/path", "text"))

    assert (posted.json()["statusCode"], posted.json()["body"]) == (200, "text")
    assert stat.S_ISSOCK(os.stat(path).st_mode)


async def test_registers_as_an_extension(runtime):
    """The adapter registers for no events before the first ``/next``, and waits.

    That takes a connection of its own, which asks for nothing more.
    """
    async with open_adapter(runtime.address):
        await runtime.invoke(SQS)
        await runtime.invoke(SQS)

    kinds = [each.target for each in runtime.posted]
    (register,) = [each for each in runtime.posted if each.target == REGISTER]
    (event_next,) = [each for each in runtime.posted if each.target == EVENT_NEXT]
    assert register.json() == {"events": []}
    name = register.fields["lambda-extension-name"]
    assert name == "lambda-adapter-runtime"
    identifier = event_next.fields["lambda-extension-identifier"]
    assert identifier == runtime.extensions[name]
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
        pytest.param(replied(403), id="forbidden"),
        pytest.param(replied(500), id="failing"),
        pytest.param(b"220 smtp.example.com\r\n", id="garbage"),
        pytest.param(b"", id="hung up"),
    ],
)
async def test_refused_extension(runtime, answer):
    """A refused registration is a warning, since there will be no SIGTERM."""
    runtime.scripted[REGISTER].append(answer)

    async with open_adapter(runtime.address) as adapter:
        posted = await runtime.invoke(SQS)
        await adapter.wait_log("WARN Lambda will not send SIGTERM")

    assert json.loads(posted.body) == SQS


async def test_unknown_setting(runtime):
    """An unknown name is a warning with the most similar setting."""
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
    """No event is requested before the application is ready."""
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
    """The first request after the checks is the first event's."""
    async with open_adapter(runtime.address, AWS_LWA_PASS_THROUGH_PATH="/count"):
        posted = await runtime.invoke(SQS)

    assert posted.body == b"0"


async def test_attached(runtime, tmp_path):
    """The adapter without a command serves an application that something else started.

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


async def test_an_entry_point_without_a_command(runtime, tmp_path):
    """An adapter that is no extension, and has no command, says that CMD is missing."""
    file = tmp_path / "bootstrap"
    file.symlink_to(MAIN)
    command = [sys.executable, str(file)]

    async with open_adapter(runtime.address, [], adapter=command) as adapter:
        log = await adapter.wait_log("\n")

    assert log.startswith("lambda-adapter: WARN no command was given: ")
    assert "needs a CMD" in log


async def test_attached_to_an_application_that_goes(runtime):
    """An event waits for an attached application that restarts."""
    port = free_port()
    async with open_adapter(runtime.address, [], port=port):
        async with open_app(port=port):
            first = await runtime.invoke(http_event())
        async with all_at_once(runtime, http_event()) as replies:
            await runtime.wait(lambda: runtime.polls == 0)
            async with open_app(port=port):
                await runtime.wait(lambda: bool(replies))

    assert first.json()["statusCode"] == 200
    assert [each.json()["statusCode"] for each in replies.values()] == [200]


@pytest.mark.parametrize("stops", [False, True], ids=["running", "stopped"])
async def test_attached_to_an_application_that_stays_away(runtime, stops):
    """An event that waited in vain is a 504; then the environment ends."""
    port = free_port()
    async with open_adapter(runtime.address, [], port=port) as adapter:
        async with open_app(port=port):
            await runtime.invoke(http_event())
        deadline = str(int(time.time() * 1000) + 1_000)
        posted = await runtime.invoke(http_event(), lambda_runtime_deadline_ms=deadline)
        if stops:
            adapter.process.send_signal(signal.SIGSTOP)
            await trio.testing.wait_all_tasks_blocked(0.3)
            adapter.process.send_signal(signal.SIGCONT)

        assert await adapter.wait() == 1

    assert posted.json()["statusCode"] == 504
    assert "Connection refused after " in adapter.log
    gone = "Runtime.AppStuckError: POST /: the application does not listen any more (no"
    assert gone in adapter.log


async def test_attached_and_ended(runtime):
    """An attached adapter ends itself on SIGTERM, and leaves the application alone."""
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        await runtime.wait_posted(NEXT)

        adapter.process.send_signal(signal.SIGTERM)

        assert await adapter.wait() == 0


async def test_proxy_of_the_runtime_api(runtime):
    """Invocations go through a configured proxy; the registration does not."""
    async with (
        open_fake_runtime_api() as proxy,
        open_adapter(runtime.address, AWS_LWA_LAMBDA_RUNTIME_API_PROXY=proxy.address),
    ):
        await proxy.invoke(SQS)
        await runtime.wait_posted(EVENT_NEXT)

    assert {each.kind for each in proxy.posted} == {"next", "response"}
    assert [each.target for each in runtime.posted] == [REGISTER, EVENT_NEXT]


async def test_proxy_that_does_not_run(runtime):
    """A proxy of the Runtime API that can't be reached is named with its setting."""
    proxy = f"127.0.0.1:{free_port()}"
    async with open_adapter(
        runtime.address, AWS_LWA_LAMBDA_RUNTIME_API_PROXY=proxy
    ) as adapter:
        assert await adapter.wait() == 1

    assert (
        "ERROR Runtime.RuntimeApiError: Lambda's Runtime API failed 5 times in a row:"
        f" no connection to {proxy}: Connection refused; is the proxy running that"
        " AWS_LWA_LAMBDA_RUNTIME_API_PROXY names?\n"
    ) in adapter.log


@pytest.mark.parametrize(
    ("command", "how"),
    [
        (["true"], f"exited with status 0 ({FOREGROUND})"),
        (["sh", "-c", "exit 3"], "exited with status 3"),
        (["sh", "-c", "kill -9 $$"], "was ended by SIGKILL (was it out of memory?)"),
        (["sh", "-c", "kill -15 $$"], "was ended by SIGTERM"),
        (["sh", "-c", "kill -40 $$"], "was ended by signal 40"),
    ],
)
async def test_ended_before_ready(runtime, command, how):
    """An init error says how the application ended, and where to find the reason.

    No event is asked for, to which nobody would respond.
    """
    async with open_adapter(runtime.address, command) as adapter:
        assert await adapter.wait() == 1

    (posted,) = [each for each in runtime.posted if each.target == INIT_ERROR]
    message = str(posted.json()["errorMessage"])
    assert message == (
        f"the application {how} before it was ready; its own lines in the log may say"
        " why"
    )
    assert posted.json()["errorType"] == "Runtime.AppNotReadyError"
    assert of_kind(runtime, "next") == [
        each for each in runtime.posted if each.target == EVENT_NEXT
    ]
    assert f"ERROR Runtime.AppNotReadyError: {message}\n" in adapter.log


async def test_ended_before_ready_where_nobody_can_know_how(runtime):
    """An init error has no exit status if SIGCHLD is ignored."""
    ignore = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    adapter = (sys.executable, "-c", ignore, "-m", "lambda_adapter")
    async with open_adapter(runtime.address, ["false"], adapter=adapter) as running:
        assert await running.wait() == 1

    posted = await runtime.wait_posted(INIT_ERROR)
    how = "exited with unknown status (SIGCHLD is ignored) before it was ready"
    assert how in str(posted.json()["errorMessage"])


async def test_refused_init_error(runtime):
    """The adapter ends after an init error, even if Lambda refuses that."""
    runtime.scripted[INIT_ERROR].append(b"")

    async with open_adapter(runtime.address, ["true"]) as adapter:
        assert await adapter.wait() == 1


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/exit/0", "exited with status 0"),
        ("/exit/3", "exited with status 3"),
        ("/kill", "was ended by SIGKILL (was it out of memory?)"),
    ],
)
async def test_ended_while_serving(runtime, path, how):
    """An event that ends the application is the last one; then the adapter ends.

    Who replies to it, the adapter or Lambda, is a matter of microseconds.
    """
    async with (
        open_adapter(runtime.address) as adapter,
        invoking(runtime, http_event(path)),
    ):
        assert await adapter.wait() == 1

    line = f"Runtime.AppExitedError: the application {how} while it was serving; "
    assert f"ERROR {line}" in adapter.log
    assert [each for each in runtime.posted if each.target == INIT_ERROR] == []
    assert len([each for each in runtime.posted if each.target == NEXT]) == 1


async def test_killed_while_idle(runtime):
    """The exit of an application between two events is noticed immediately."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.invoke(SQS)
        os.kill(adapter.child(), signal.SIGKILL)

        assert await adapter.wait() == 1

    assert "Runtime.AppExitedError" in adapter.log


async def test_no_event_after_the_exit(runtime, tmp_path):
    """No event is requested after the application's exit.

    Another environment gets it, even if a process that was left behind would respond.
    """
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"(trap '' TERM; exec sleep 60) & read line < {fifo}; exit 7"

    async with (
        open_app() as app,
        open_adapter(runtime.address, ["sh", "-c", script], port=app.port) as adapter,
    ):
        await runtime.invoke(SQS)
        fifo.write_text("end\n")
        await adapter.wait_log("SIGTERM to the processes that the application left")
        async with invoking(runtime, SQS):
            assert await adapter.wait() == 1

    assert len(of_kind(runtime, "response", "error")) == 1


async def test_lambda_says_all_is_lost(runtime, tmp_path):
    """Status 500 of Lambda ends the application and the adapter."""
    log = tmp_path / "log"
    runtime.scripted["/response"].append(LOST)

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
    assert "cut off" not in adapter.log


async def test_sigterm_behind_a_wrapper(runtime, tmp_path):
    """An application behind a shell script that dies on SIGTERM gets its own, once."""
    command = ["sh", "-c", '"$@"; true', "sh", *PUPPET]
    async with open_adapter(
        runtime.address,
        command,
        PUPPET_LOG=str(tmp_path / "log"),
        PUPPET_LINGER="0.1",
    ) as adapter:
        await runtime.invoke(SQS)
        await sigterm(adapter, tmp_path)

    assert "INFO SIGTERM to the processes that the application left" in adapter.log
    assert "SIGKILL" not in adapter.log


async def test_sigterm_during_an_invocation(runtime, tmp_path):
    """SIGTERM ends the adapter while the application has an event, which is logged."""
    async with (
        open_adapter(runtime.address, PUPPET_LOG=str(tmp_path / "log")) as adapter,
        invoking(runtime, http_event("/hang")),
    ):
        await adapter.wait_log("the puppet hangs")
        await sigterm(adapter, tmp_path)

    assert of_kind(runtime, "response", "error") == []
    assert re.search(f"WARN POST /hang{CUT_OFF}", adapter.log)


@pytest.mark.parametrize("answer", ["503", "hang"])
async def test_sigterm_during_readiness(runtime, tmp_path, answer):
    """SIGTERM before the application is ready ends the adapter without init error."""
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
    """An application that ignores SIGTERM is killed before Lambda kills the adapter."""
    async with open_adapter(
        runtime.address, PUPPET_LOG=str(tmp_path / "log"), PUPPET_IGNORE_TERM="1"
    ) as adapter:
        await runtime.wait_posted(NEXT)
        await sigterm(adapter, tmp_path)

    assert "WARN the application did not end on SIGTERM; sending SIGKILL" in adapter.log


async def test_sigint(runtime):
    """SIGINT ends the adapter as SIGTERM does, without a traceback."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.wait_posted(NEXT)
        adapter.process.send_signal(signal.SIGINT)

        assert await adapter.wait() == 0

    assert "Traceback" not in adapter.log


async def test_nothing_is_left_behind(runtime, tmp_path):
    """Processes that the application started end with it, even unwilling ones."""
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


@pytest.mark.parametrize(
    ("event", "faults"),
    [
        pytest.param(http_event, [*FAULTS.values()][::2], id="HTTP"),
        pytest.param(None, [*FAULTS.values()][1::2], id="other"),
    ],
)
async def test_survives_every_fault_of_an_application(runtime, event, faults):
    """After any fault of a running application, the next event is served.

    One adapter in front of one application takes all of them.
    """
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as adapter,
    ):
        await runtime.invoke(SQS)
        for answer in faults:
            app.answers += [answer, Answer(OK, "keep")]
            faulty = await runtime.invoke(event() if event else SQS)
            good = await runtime.invoke(event() if event else SQS)

            if event:
                assert faulty.json()["statusCode"] == 502
                assert good.json()["body"] == "ok"
            else:
                assert (faulty.kind, good.kind) == ("error", "response")
        assert adapter.process.poll() is None

    assert adapter.log.count("ERROR Runtime.AppRequestError") == len(faults)
    assert len({each.target for each in of_kind(runtime, "response", "error")}) == (
        1 + 2 * len(faults)
    )


async def test_survives_early_answers(runtime):
    """A response that arrives before the request is sent becomes the reply."""
    async with open_adapter(runtime.address) as adapter:
        refused = await runtime.invoke(http_event("/early", "x" * 5_000_000))
        following = await runtime.invoke(http_event("/path", "text"))

    assert (refused.json()["statusCode"], refused.json()["body"]) == (413, "early")
    assert following.json()["body"] == "text"
    assert adapter.log.count("ERROR") == 0


async def test_streams(runtime):
    """A gateway that takes streams gets one in stream mode; another gets JSON."""
    async with open_adapter(runtime.address, AWS_LWA_INVOKE_MODE="response_stream"):
        streamed = await runtime.invoke(url_event("/path", "text"))
        http = await runtime.invoke(http_event("/path", "text"))
        other = await runtime.invoke(SQS)

    assert (streamed.prelude()["statusCode"], streamed.content()) == (200, b"text")
    assert (http.json()["statusCode"], http.json()["body"]) == (200, "text")
    assert json.loads(other.body) == SQS


async def test_ended_amid_a_stream(runtime):
    """An application that dies within its response gets no other event.

    Its connection ends a moment before it does.
    """
    half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    async with (
        open_adapter(runtime.address, AWS_LWA_INVOKE_MODE="response_stream") as adapter,
        invoking(runtime, url_event("/say", half, x_then="die")),
    ):
        assert await adapter.wait() == 1

    assert "the application was ended by SIGKILL" in adapter.log
    assert len([each for each in runtime.arriving if each.target == NEXT]) == 1
    (posted,) = of_kind(runtime, "response")
    assert (posted.content(), len(posted.trailers)) == (b"half", 2)


async def test_sigterm_amid_a_stream(runtime, tmp_path):
    """A response that the adapter's end cuts off does not look like a whole one."""
    half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
    async with (
        open_adapter(
            runtime.address,
            PUPPET_LOG=str(tmp_path / "log"),
            AWS_LWA_INVOKE_MODE="response_stream",
        ) as adapter,
        invoking(runtime, url_event("/say", half, x_then="hold")),
    ):
        posted = await runtime.wait_arriving("/response", size=8)
        await runtime.wait_content(posted, b"half")
        await sigterm(adapter, tmp_path)
        await runtime.wait(lambda: posted.connection in runtime.closed)

    assert not posted.complete
    assert re.search(f"WARN POST /say{CUT_OFF}", adapter.log)


async def test_large_stream(runtime):
    """A stream is as fast as Lambda reads it, and is never held as a whole.

    While Lambda takes nothing, the application can say no more than buffers hold.
    """
    block, blocks, said = random.Random(1).randbytes(1_000_000), 100, 0

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal said
        while (request := await receive(stream)) is not None:
            if not request.line.startswith(b"POST /large "):
                await stream.send_all(OK)
                continue
            head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
            await stream.send_all(head % (blocks * len(block)))
            for _ in range(blocks):
                await stream.send_all(block)
                said += 1

    async def wait(_stream: trio.SocketStream, _posted: Posted) -> None:
        await blocked.wait()

    blocked = trio.Event()
    runtime.meanwhile["/response"] = wait
    async with (
        open_server(serve) as port,
        open_adapter(
            runtime.address, [], port=port, AWS_LWA_INVOKE_MODE="response_stream"
        ) as adapter,
        invoking(runtime, url_event("/large")),
    ):
        await runtime.wait_arriving("/response")
        await trio.testing.wait_all_tasks_blocked(0.3)
        said_while_blocked = said
        blocked.set()
        posted = await runtime.wait_posted("/response")
        memory = peak_memory(adapter.process.pid)

    assert said_while_blocked < 50
    assert memory < 100
    assert posted.trailers == []
    expected = hashlib.sha256()
    for _ in range(blocks):
        expected.update(block)
    assert hashlib.sha256(posted.content()).digest() == expected.digest()


class Crowd:
    """An application that responds to nobody before it has so many requests at once.

    What it does then is in the path: ``/break`` hangs up, ``/fine`` says the body of
    the request, ``/hang`` nothing, and ``/last`` what ``/fine`` does, once it may.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.here: set[bytes] = set()
        self.complete = trio.Event()
        self.may_end = trio.Event()

    async def serve(self, stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            while (request := await receive(stream)) is not None:
                path = request.line.split()[1]
                if path == b"/":
                    await stream.send_all(OK)
                    continue
                self.here.add(request.body)
                if len(self.here) >= self.size:
                    self.complete.set()
                await self.complete.wait()
                if path == b"/last":
                    await self.may_end.wait()
                if path == b"/hang":
                    await stream.receive_some()
                if path in {b"/hang", b"/break"}:
                    break
                await stream.send_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"
                    % (len(request.body), request.body)
                )
        await stream.aclose()


@asynccontextmanager
async def open_crowd(runtime: FakeRuntimeApi, size: int, mode: str = "buffered"):
    """Serve such an application by as many loops."""
    crowd = Crowd(size)
    runtime.max_polls = size
    async with (
        open_server(crowd.serve) as port,
        open_adapter(
            runtime.address,
            [],
            port=port,
            AWS_LAMBDA_MAX_CONCURRENCY=str(size),
            AWS_LWA_INVOKE_MODE=mode,
        ) as adapter,
    ):
        yield crowd, adapter


@asynccontextmanager
async def all_at_once(runtime: FakeRuntimeApi, *payloads: object, **fields: str):
    """Have invocations under way side by side, and wait for their replies."""
    answers: dict[int, Posted] = {}

    async def invoke(number: int, payload: object) -> None:
        answers[number] = await runtime.invoke(payload, **fields)

    async with trio.open_nursery() as nursery:
        for number, payload in enumerate(payloads):
            nursery.start_soon(invoke, number, payload)
        yield answers


@pytest.mark.parametrize("event", [http_event, url_event], ids=["buffered", "streamed"])
async def test_concurrency(runtime, event):
    """The application has as many invocations at a time as Lambda wants.

    Each gets its own response.
    """
    payloads = [event("/fine", f"body {number}") for number in range(3)]

    async with (
        open_crowd(runtime, 3, "response_stream") as (crowd, _),
        all_at_once(runtime, *payloads) as answers,
    ):
        with trio.fail_after(10):
            await crowd.complete.wait()

    for number, posted in answers.items():
        text = f"body {number}"
        if event is url_event:
            assert posted.content() == text.encode()
        else:
            assert posted.json()["body"] == text
    assert len(answers) == 3


async def test_as_many_wait_as_may(runtime):
    """Each loop requests invocations over its own connection."""
    async with open_crowd(runtime, 3):
        await runtime.wait(lambda: runtime.polls == 3)

    polls = [each for each in runtime.arriving if each.target == NEXT]
    assert len(polls) == len({each.connection for each in polls}) == 3


async def test_no_concurrency(runtime):
    """The application has one invocation at a time, unless Lambda sends more."""
    async with open_app() as app, open_adapter(runtime.address, [], port=app.port):
        await runtime.wait_posted(NEXT)
        app.answers.append(Answer(b"", "more"))
        async with all_at_once(runtime, SQS, SQS) as answers:
            await app.wait_requests(2)
            await trio.testing.wait_all_tasks_blocked(0.05)
            asked = [each for each in runtime.arriving if each.target == NEXT]
            await app.say(OK, "keep")

    assert len(asked) == 1
    assert len(answers) == 2


async def test_connections_that_are_kept(runtime):
    """As many connections stay open as there were concurrent invocations."""
    crowd, opened, closed = Crowd(3), 0, 0

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal opened, closed
        opened += 1
        await crowd.serve(stream)
        closed += 1

    runtime.max_polls = 3
    three = [http_event("/fine", f"body {number}") for number in range(3)]
    async with (
        open_server(serve) as port,
        open_adapter(runtime.address, [], port=port, AWS_LAMBDA_MAX_CONCURRENCY="3"),
    ):
        for _ in range(2):
            async with all_at_once(runtime, *three) as answers:
                pass
            assert len(answers) == 3
        for number in range(5):
            await runtime.invoke(http_event("/fine", f"another {number}"))

        check = 1
        assert (opened, closed) == (check + 3, check)


async def test_one_fails_and_no_other(runtime):
    """A deadline or a broken connection fails only its own invocation."""
    last, broken = http_event("/last", "1"), http_event("/break", "2")
    held = http_event("/hang", "3")

    async with open_crowd(runtime, 3) as (crowd, adapter):
        await runtime.wait(lambda: runtime.polls == 3)
        soon = str(int((time.time() + 0.5) * 1000))
        async with (
            all_at_once(runtime, last, broken) as two,
            all_at_once(runtime, held, lambda_runtime_deadline_ms=soon) as one,
        ):
            await runtime.wait(lambda: len(of_kind(runtime, "response")) == 2)
            crowd.may_end.set()
        good = await runtime.invoke(http_event("/fine", "good"))

    answers = [posted.json() for posted in (two[0], two[1], one[0], good)]
    assert [each["statusCode"] for each in answers] == [200, 502, 504, 200]
    assert (answers[0]["body"], answers[3]["body"]) == ("1", "good")
    assert adapter.log.count("ERROR") == 2


@pytest.mark.parametrize("where", ["/response", NEXT])
async def test_one_loop_hears_that_all_is_lost(runtime, where):
    """Status 500 to one loop ends the process, whatever the others do."""
    async with open_crowd(runtime, 3) as (_, adapter):
        await runtime.wait(lambda: runtime.polls == 3)
        async with trio.open_nursery() as nursery:
            for path in ("/last", "/fine", "/hang"):
                nursery.start_soon(runtime.invoke, http_event(path, path))
            runtime.scripted[where].append(LOST)
            assert await adapter.wait() == 1
            nursery.cancel_scope.cancel()

    assert "ERROR Runtime.RuntimeApiError: Lambda says" in adapter.log
    assert "Traceback" not in adapter.log


def waiting_child() -> Child:
    silent, end = os.pipe()
    os.close(end)
    pid = os.posix_spawnp("sleep", ["sleep", "60"], os.environ, setsid=True)
    return Child("sleep", pid, silent)


@asynccontextmanager
async def supervising(runtime: FakeRuntimeApi, port: int, **settings: str):
    """Have the supervisor in this process, where its clock can jump.

    The application is this process's, too: its child only waits to be ended.
    """
    environ = {"AWS_LAMBDA_RUNTIME_API": runtime.address, "PORT": str(port)}
    async with trio.open_nursery() as nursery:
        config = Config(environ | settings)
        app = ChildApp(config, waiting_child())
        with Signals() as signals:
            nursery.start_soon(supervise, config, app, signals)
            yield
            nursery.cancel_scope.cancel()


async def test_async_init_ends_in_time(clock, runtime):
    """The first event is requested before Lambda's 10 s are over, ready or not."""
    async with (
        open_app(*[Answer(b"", "hold")] * 9) as app,
        supervising(runtime, app.port, AWS_LWA_ASYNC_INIT="true"),
    ):
        await runtime.wait_posted(NEXT)

        assert trio.current_time() == pytest.approx(9.8, abs=0.1)


async def test_exit_after_an_async_init(clock, runtime, caplog):
    """An event that waits for an application that exits is a 502 with the reason.

    The init has ended by then, so Lambda gets no init error, which it would refuse.
    """
    hanging = [Answer(b"", "hold")] * 9
    status: list[int] = []
    async with open_app(*hanging) as app, trio.open_nursery() as nursery:
        child = waiting_child()
        config = Config(
            {
                "AWS_LAMBDA_RUNTIME_API": runtime.address,
                "AWS_LWA_ASYNC_INIT": "true",
                "PORT": str(app.port),
            }
        )

        async def run() -> None:
            served = ChildApp(config, child)
            status.append(await run_until_stopped(config, served, Signals()))

        nursery.start_soon(run)
        async with all_at_once(runtime, http_event("/a")) as replies:
            await runtime.wait_posted(NEXT)
            await runtime.wait(lambda: runtime.polls == 0)
            os.kill(child.pid, signal.SIGKILL)

    assert replies[0].json()["statusCode"] == 502
    assert status == [1]
    what = "the application was ended by SIGKILL (was it out of memory?) before it was"
    lines = [line for line in caplog.messages if line.startswith("Runtime.")]
    assert [line.partition(" ready; ")[0] for line in lines] == [
        f"Runtime.AppRequestError: POST /a: {what}",
        f"Runtime.AppNotReadyError: {what}",
    ]
    assert [each for each in runtime.posted if each.target == INIT_ERROR] == []


async def test_longest_invocation(clock, runtime):
    """An invocation without a sensible deadline ends after Lambda's longest: 15 min."""
    waited = 0.0
    given_up = trio.Event()

    async def hang(stream: trio.SocketStream) -> None:
        nonlocal waited
        while (request := await receive(stream)) is not None:
            if request.line.startswith(b"GET "):
                await stream.send_all(OK)
                continue
            started = trio.current_time()
            await stream.receive_some()
            waited = trio.current_time() - started
            given_up.set()

    runtime.scripted[NEXT].append(
        b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: request-1\r\n"
        b"content-length: 2\r\n\r\n{}"
    )
    async with open_server(hang) as port, supervising(runtime, port):
        with trio.fail_after(2_000):
            await given_up.wait()

    assert waited == pytest.approx(900, abs=1)


async def test_what_only_the_rust_adapter_knows(runtime):
    """The Rust adapter's own variables, and its header for text, have no effect."""
    event = http_event("/prod/path")
    event["requestContext"]["stage"] = "prod"
    image = Answer(
        b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 4\r\n"
        b"x-lambda-http-content-encoding: text\r\n\r\ntext",
        "keep",
    )

    async with (
        open_app(Answer(OK), image) as app,
        open_adapter(
            runtime.address,
            [],
            port=app.port,
            AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH="true",
            RUST_LOG="off",
        ) as adapter,
    ):
        posted = await runtime.invoke(event)
        await adapter.wait_log("INFO the application is ready")

    assert app.requests[1].line == b"POST /prod/path HTTP/1.1"
    reply = posted.json()
    assert reply["isBase64Encoded"] is True
    assert isinstance(reply["headers"], dict)
    assert reply["headers"]["x-lambda-http-content-encoding"] == "text"


async def test_long_context(runtime):
    """A context arrives as a whole, however long it is."""
    event = http_event("/path")
    event["requestContext"]["authorizer"] = {"claims": "x" * 300_000}

    async with open_app() as app, open_adapter(runtime.address, [], port=app.port):
        await runtime.invoke(event)

    (context,) = app.requests[1].values(b"x-amzn-request-context")
    assert json.loads(context) == event["requestContext"]


async def test_application_may_compress_as_well(runtime):
    """Accept-Encoding is forwarded even with compression enabled."""
    event = http_event("/path", accept_encoding="gzip, zstd;q=0.5")
    text = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5000\r\n\r\n"
    )

    async with (
        open_app(Answer(OK), Answer(text + b"a" * 5_000)) as app,
        open_adapter(
            runtime.address, [], port=app.port, AWS_LWA_ENABLE_COMPRESSION="true"
        ),
    ):
        posted = await runtime.invoke(event)

    assert app.requests[1].values(b"accept-encoding") == [b"gzip, zstd;q=0.5"]
    assert len(posted.body) < 1_000
