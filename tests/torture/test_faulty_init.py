"""A Runtime API that fails while the adapter starts, or for good.

The law: the adapter says what happened, and serves all the same, or it ends with the
status that is documented. Each case takes a process, so several run side by side.
"""

import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio

from tests.adapter import Adapter, open_adapter
from tests.catalogue import KINDS
from tests.fake_runtime_api import EVENT_NEXT, INIT_ERROR, NEXT, REGISTER
from tests.ports import free_port
from tests.scripted_app import OK, Answer, open_app, open_server
from tests.torture.faults import FAULTS, Fault
from tests.torture.faulty_runtime_api import REFUSALS, FaultyRuntimeApi, status
from tests.torture.kinds import told

AT_ONCE = 8
"""Processes side by side."""

LIMIT = 90
"""Seconds for what takes 30, and for a busy machine. Nothing is measured."""

LOST = status(500)

PROMPT = {name: fault for name, fault in FAULTS.items() if not fault.stalls}
ANY = PROMPT | REFUSALS | {"500": LOST}

REFUSAL = b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"

NO_APP = [sys.executable, "-c", "raise SystemExit(3)"]

SHORT = 12
"""One in so many is tried in the short form."""


@asynccontextmanager
async def open_faulty() -> AsyncIterator[FaultyRuntimeApi]:
    runtime = FaultyRuntimeApi(0)
    async with open_server(runtime.serve) as runtime.port:
        runtime.address = f"127.0.0.1:{runtime.port}"
        yield runtime


@asynccontextmanager
async def open_serving(runtime: FaultyRuntimeApi) -> AsyncIterator[Adapter]:
    """Start an adapter with an application that is ready."""
    async with (
        open_app() as app,
        open_adapter(
            runtime.address, [], port=app.port, AWS_LWA_INVOKE_MODE="response_stream"
        ) as adapter,
    ):
        yield adapter


async def assert_serves(runtime: FaultyRuntimeApi, adapter: Adapter) -> None:
    """See that an invocation has a reply."""
    answer = told(await runtime.invoke(KINDS["alb"]("GET", "/", "")), "alb")
    assert (answer.status, answer.content) == (200, b"ok")
    assert adapter.process.poll() is None


async def try_each(check, cases: dict[str, Fault]) -> None:
    """Check cases side by side, each with a Runtime API of its own."""
    places = trio.CapacityLimiter(AT_ONCE)

    async def try_one(name: str, fault: Fault) -> None:
        async with places, open_faulty() as runtime:
            try:
                with trio.fail_after(LIMIT):
                    await check(runtime, fault)
            except Exception as error:
                error.add_note(f"It was the fault {name!r}.")
                raise

    async with trio.open_nursery() as nursery:
        for name, fault in cases.items():
            nursery.start_soon(try_one, name, fault)


def some(cases: dict[str, Fault], long: bool) -> dict[str, Fault]:
    return cases if long else dict(list(cases.items())[::SHORT])


@pytest.mark.parametrize("target", [REGISTER, EVENT_NEXT], ids=["register", "next"])
async def test_fault_of_a_registration(long, target):
    """A failed registration only means that there is no SIGTERM."""

    async def check(runtime: FaultyRuntimeApi, fault: Fault) -> None:
        await runtime.fail(target, fault)
        async with open_serving(runtime) as adapter:
            await assert_serves(runtime, adapter)
            await adapter.wait_log("WARN Lambda will not send SIGTERM before it ends")
            await assert_serves(runtime, adapter)

    cases = ANY
    if target == EVENT_NEXT:  # over a kept connection, these are asked again
        cases = {name: cases[name] for name in cases if cases[name].raw}
    await try_each(check, some(cases, long))


async def test_fault_of_an_init_error(long):
    """An init error that Lambda does not take is logged; the process ends as ever."""

    async def check(runtime: FaultyRuntimeApi, fault: Fault) -> None:
        await runtime.fail(INIT_ERROR, fault)
        async with open_adapter(runtime.address, NO_APP) as adapter:
            assert await adapter.wait() == 1
            await adapter.wait_log("the init error")
        assert "exited with status 3 before it was ready" in adapter.log
        told = "Lambda refused the init error: status "
        failed = "the init error did not reach Lambda: "
        assert adapter.log.count(told) + adapter.log.count(failed) == 1
        assert len([each for each in runtime.posted if each.target == INIT_ERROR]) == 1

    await try_each(check, some(ANY, long))


@pytest.mark.long
async def test_next_that_fails_for_good():
    """Five failures of ``/next`` in a row end the process, whatever they are."""

    async def check(runtime: FaultyRuntimeApi, fault: Fault) -> None:
        for _ in range(5):
            await runtime.fail(NEXT, fault)
        async with open_serving(runtime) as adapter:
            assert await adapter.wait() == 1
            await adapter.wait_log("Lambda's Runtime API failed 5 times in a row")
        assert adapter.log.count("WARN no invocation from Lambda's Runtime API: ") == 5
        assert adapter.log.count("ERROR") == 1

    await try_each(check, PROMPT | REFUSALS)


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        pytest.param("alb", NEXT, id="next"),
        pytest.param("alb", "/response", id="reply"),
        pytest.param("function_url", "/response", id="stream"),
        pytest.param("direct", "/error", id="error"),
    ],
)
async def test_all_is_lost(kind, end):
    """Status 500 ends the process immediately, and the log quotes Lambda."""
    answers = Answer(OK, "keep"), Answer(REFUSAL if kind == "direct" else OK, "keep")
    async with open_faulty() as runtime, open_app(*answers) as app:
        await runtime.fail(end, LOST)
        async with open_adapter(
            runtime.address, [], port=app.port, AWS_LWA_INVOKE_MODE="response_stream"
        ) as adapter:
            if end != NEXT:
                await runtime.invoke(KINDS[kind]("GET", "/", ""))
            assert await adapter.wait() == 1
            await adapter.wait_log("Lambda says this environment is lost: status 500")

    assert len([each for each in runtime.posted if each.target.endswith(end)]) == 1


@pytest.mark.long
async def test_nobody_listens():
    """Without a Runtime API, the process ends after five attempts."""
    async with open_faulty() as gone:
        pass
    async with open_serving(gone) as adapter:
        assert await adapter.wait() == 1
        await adapter.wait_log("Lambda's Runtime API failed 5 times in a row")
        assert adapter.log.count("Connection refused") >= 5


async def test_nobody_listens_for_a_while():
    """A Runtime API that restarts within an invocation is found again."""
    runtime = FaultyRuntimeApi(0)
    gone = trio.Event()

    async def serve(task_status: trio.TaskStatus[None]) -> None:
        async with open_server(runtime.serve) as runtime.port:
            runtime.address = f"127.0.0.1:{runtime.port}"
            task_status.started()
            await gone.wait()

    async with open_app() as app, trio.open_nursery() as nursery:
        await nursery.start(serve)
        async with open_adapter(runtime.address, [], port=app.port) as adapter:
            await runtime.wait_posted(NEXT)
            app.answers.append(Answer(b"", "more"))
            nursery.start_soon(runtime.invoke, KINDS["alb"]("GET", "/", ""))
            await app.wait_requests(2)
            gone.set()
            await runtime.wait(lambda: len(runtime.closed) == 2)
            await app.say(OK, "keep")
            await adapter.wait_log("the reply did not reach Lambda: no connection")
            async with open_server(runtime.serve, runtime.port):
                await assert_serves(runtime, adapter)
        nursery.cancel_scope.cancel()


async def test_next_that_stalls(long):
    """A response to ``/next`` that stalls does not end the process."""

    async def check(runtime: FaultyRuntimeApi, fault: Fault) -> None:
        await runtime.fail(NEXT, fault)
        async with open_serving(runtime) as adapter:
            await runtime.wait_posted(NEXT)
            adapter.process.send_signal(signal.SIGTERM)
            assert await adapter.wait() == 0
            await adapter.wait_log("INFO ending on SIGTERM")

    stalls = {name: fault for name, fault in FAULTS.items() if fault.stalls}
    await try_each(check, some(stalls, long))


@pytest.mark.long
async def test_registration_that_stalls():
    """A registration has a timeout of 2 s, after which the init continues."""
    async with open_faulty() as runtime:
        await runtime.fail(REGISTER, FAULTS["a head that stops"])
        async with open_serving(runtime) as adapter:
            await adapter.wait_log("Lambda did not respond within 2 s")
            await assert_serves(runtime, adapter)


POSTS = {
    "reply": ("http_api", "/response", "the reply did not reach Lambda: it was not"),
    "error": ("direct", "/error", "the failure did not reach Lambda: it was not"),
    "stream": ("function_url", "/response", "the stream did not reach Lambda"),
    "init error": ("", INIT_ERROR, "the init error did not reach Lambda"),
}
"""What is posted, what for and where to, and what the log says if it fails."""

POST_STALLS = [
    (act, what) for act in ("no answer", "a head that stops") for what in POSTS
] + [("never read", "reply")]


async def check_stall(act: str, what: str) -> None:
    """See one post fail that Lambda does not take, and the next invocation served."""
    kind, end, line = POSTS[what]
    large = OK.replace(b": 2", b": 5500002") + b"x" * 5_500_000
    async with open_faulty() as runtime, open_app() as app:
        early = act == "never read"
        fault = Fault(then="freeze") if early else FAULTS[act]
        await runtime.fail(end, fault, early=early)
        command = NO_APP if what == "init error" else []
        port = free_port() if command else app.port
        async with open_adapter(
            runtime.address, command, port=port, AWS_LWA_INVOKE_MODE="response_stream"
        ) as adapter:
            if what == "init error":
                assert await adapter.process.wait() == 1
                await adapter.wait_log(line)
                return
            await runtime.wait_posted(NEXT)
            app.answers.append(Answer(REFUSAL if what == "error" else large, "keep"))
            soon = str(int((time.time() + 1) * 1000))
            event = KINDS[kind]("GET", "/", "")
            await runtime.invoke(event, lambda_runtime_deadline_ms=soon)
            while line not in adapter.log:
                with suppress(trio.TooSlowError):  # it waits for 20 s
                    await adapter.wait_log(line)
            await assert_serves(runtime, adapter)


@pytest.mark.long
async def test_post_that_stalls():
    """A post that Lambda does not take is logged; then the next event is requested.

    A reply has until the deadline, and 5 s at the least; a stream has 30 s for each
    piece and for the response at its end, and so has an init error.
    """
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            for act, what in POST_STALLS:
                nursery.start_soon(check_stall, act, what)
