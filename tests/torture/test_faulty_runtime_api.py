"""A Runtime API that fails at every step of the conversation.

The law for all of it: the adapter says in a line what happened, and either goes on
serving or ends as it is documented to. It never waits for what does not come, and never
posts a second reply to a Runtime API that has taken the first.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest
import trio

from tests.adapter import peak_memory
from tests.catalogue import KINDS
from tests.fake_runtime_api import NEXT
from tests.scripted_app import receive
from tests.torture.faults import FAULTS, Fault
from tests.torture.faulty_runtime_api import REFUSALS, FaultyRuntimeApi, status
from tests.torture.kinds import told
from tests.torture.world import World, open_world, request_id

MOST_MEMORY = 150
"""MB that the adapter may ever hold: what is endless must not be kept."""

STEPS = {"reply": "/response", "stream": "/response", "error": "/error"}
"""What is posted, and where to."""

KIND_OF = {"reply": "http_api", "stream": "function_url", "error": "direct"}
"""An event whose answer is that."""

PROMPT = {name: fault for name, fault in FAULTS.items() if not fault.stalls}

EARLY = {
    "early, then read": Fault(status(413, b"connection: close\r\n").raw, "hold"),
    "early, then closed": Fault(status(413).raw),
    "early, then reset": Fault(status(413).raw, "reset"),
    "early, then held": Fault(status(413).raw, "freeze"),
    "closed early": Fault(),
    "reset early": Fault(then="reset"),
    "garbage early": Fault(b"220 smtp.example.com ESMTP\r\n"),
}
"""What does not wait for the end of an answer."""

LARGE = b"x" * 5_500_000
"""More than all buffers between two sockets hold, and less than a reply may."""


async def serve(stream: trio.SocketStream) -> None:
    """Respond with the path; ``/large`` with more, ``/events`` with a refusal."""
    with suppress(trio.BrokenResourceError):
        while request := await receive(stream):
            path = request.line.split()[1]
            code, body = (503, b"") if path == b"/events" else (200, path)
            body = LARGE if path == b"/large" else body
            head = b"HTTP/1.1 %d So\r\ncontent-type: text/plain\r\n" % code
            length = b"content-length: %d\r\n\r\n" % len(body)
            await stream.send_all(head + length + body)
    await stream.aclose()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    runtime = FaultyRuntimeApi(0)
    with open_world(
        serve,
        runtime,
        AWS_LWA_INVOKE_MODE="response_stream",
        AWS_LWA_READINESS_CHECK_PROTOCOL="tcp",
    ) as world:
        yield world


def fail(world: World, end: str, fault: Fault, *, early: bool = False) -> None:
    assert isinstance(world.runtime, FaultyRuntimeApi)
    world.run(partial(world.runtime.fail, early=early), end, fault)


def assert_serves(world: World) -> None:
    """See that the next invocation is served as if nothing had been."""
    following = world.invoke(KINDS["http_api"]("GET", "/following", ""))
    answer = told(following, "http_api")
    assert (answer.status, answer.content) == (200, b"/following")
    assert len(world.answers(request_id(following))) == 1
    assert world.lives
    assert peak_memory(world.pid) < MOST_MEMORY


def at_each_step(acts, short):
    """Try each act with each of what is posted."""
    cases = [(act, step) for act in acts for step in STEPS]
    return pytest.mark.cases("act, step", cases, short)


@at_each_step(PROMPT, 2)
def test_fault_of_a_post(world, act, step):
    """A faulty response to a reply is logged, and the reply is not posted again.

    Only where a kept connection ends before a byte is said does nobody know whether it
    arrived. Then it is sent over a new one, and a Runtime API that has it refuses it.
    """
    fail(world, STEPS[step], PROMPT[act])

    posted = world.invoke(KINDS[KIND_OF[step]]("GET", "/first", ""))
    assert_serves(world)

    number = request_id(posted)
    posts = world.answers(number)
    unsaid = PROMPT[act] in (FAULTS["closed"], FAULTS["reset"]) and step != "stream"
    assert len(posts) == 1 + unsaid
    assert len({each.connection for each in posts}) == len(posts)
    *_, line = world.lines_about(number)
    refused = f"Lambda refused the {step}: status 403"
    assert (refused if unsaid else f"the {step} did not reach Lambda: ") in line
    assert len(world.lines_about(number)) == 1 + unsaid + (step == "error")


@at_each_step(REFUSALS, 2)
def test_refusal_of_a_post(world, act, step):
    """A refused reply is logged, and no error is posted after it."""
    fail(world, STEPS[step], REFUSALS[act])

    posted = world.invoke(KINDS[KIND_OF[step]]("GET", "/first", ""))
    assert_serves(world)

    number = request_id(posted)
    assert len(world.answers(number)) == 1
    *_, line = world.lines_about(number)
    assert f'Lambda refused the {step}: status {act} {{"errorType":"Refused"}}' in line


@pytest.mark.cases(
    "act, kind", [(act, kind) for act in EARLY for kind in ("reply", "stream")], 1
)
def test_early_answer(world, act, kind):
    """A response to an incomplete reply ends the upload."""
    fail(world, "/response", EARLY[act], early=True)

    posted = world.invoke(KINDS[KIND_OF[kind]]("GET", "/large", ""))
    assert_serves(world)

    number = request_id(posted)
    assert len(world.answers(number)) <= 2
    *_, line = world.lines_about(number)
    assert f"Lambda refused the {kind}: status " in line or "did not reach" in line
    assert ("status 413" in line) >= (EARLY[act].then in {"hold", "freeze"})


@pytest.mark.cases("act", [(act,) for act in [*PROMPT, *REFUSALS]], 4)
def test_fault_of_next(world, act):
    """Whatever is wrong with a response to ``/next``, the next one can be right."""
    fault = (PROMPT | REFUSALS)[act]
    said = world.adapter.log.count("no invocation from Lambda's Runtime API: ")
    broke = world.adapter.log.count("the connection to Lambda broke, trying another")

    fail(world, NEXT, fault)
    assert_serves(world)  # by the ``/next`` that waits already
    assert_serves(world)

    world.lines_about("any")
    said -= world.adapter.log.count("no invocation from Lambda's Runtime API: ")
    broke -= world.adapter.log.count("the connection to Lambda broke, trying another")
    assert said + broke == -1
