"""An application that fails at every step of the conversation.

The law for all of it: one reply or one error for each invocation, of the kind that
says what happened, and the next invocation is served as if nothing had been.
"""

import itertools
from collections.abc import Iterator

import pytest

from tests.adapter import peak_memory
from tests.catalogue import KINDS
from tests.torture.faults import FAULTS
from tests.torture.faulty_app import ACTS, EARLY, ODD, TOO_MUCH, FaultyApp
from tests.torture.kinds import PASS_THROUGH, STREAMING, told
from tests.torture.world import Settings, World, open_world, request_id

LOOPS = 4
"""Each rests a moment after a broken connection; meanwhile the others serve."""

SOON = 0.5
"""Seconds to the deadline of what only a deadline can end."""

MOST_MEMORY = 150
"""MB that the adapter may ever hold: what is endless must not be kept."""

LARGE = "x" * 5_000_000
"""More of a body than all buffers between two sockets hold."""

STATUS = {"AppRequestError": 502, "ResponseTooLargeError": 502, "DeadlineError": 504}

UNSAID = {FAULTS["closed"], FAULTS["reset"]}
"""Faults before a byte of the answer."""

WAYS = [
    (connection, kind, method)
    for connection in ("fresh", "kept")
    for kind, method in [
        ("http_api", "GET"),
        ("http_api", "POST"),
        ("function_url", "GET"),
        ("direct", "POST"),
    ]
]
SHORT = len(WAYS) - 1
"""One in so many is each act in one way, and each way with some of them."""

numbers = itertools.count()


def in_each_way(acts):
    """Try each act in each way."""
    cases = [(act, *way) for act in acts for way in WAYS]
    return pytest.mark.cases("act, connection, kind, method", cases, SHORT)


@pytest.fixture(scope="module")
def app() -> FaultyApp:
    return FaultyApp()


@pytest.fixture(scope="module")
def worlds(app) -> Iterator[dict[str, World]]:
    """An adapter whose connections are always fresh, and one that keeps them."""
    settings: Settings = {
        "AWS_LAMBDA_MAX_CONCURRENCY": str(LOOPS),
        "AWS_LWA_INVOKE_MODE": "response_stream",
        "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
    }
    always_new: Settings = {**settings, "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS": "0"}
    never_old: Settings = {**settings, "AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS": "600"}
    with (
        open_world(app.serve, **always_new) as fresh,
        open_world(app.serve, **never_old) as kept,
    ):
        yield {"fresh": fresh, "kept": kept}


TEXT = "is not JSON"
"""What the log says once of a response that becomes JSON."""


class Asked:
    """One thing that an application was asked for, and the one response that came."""

    def __init__(
        self, world: World, act: str, kind: str, method: str, body: str = ""
    ) -> None:
        number = next(numbers)
        self.name = f"{act} {number}"
        self.kind = kind
        path = f"/do/{act}/{number}"
        event = KINDS[kind](method, path.replace(" ", "%20"), body)
        stalls = act in ACTS and ACTS[act].stalls
        self.posted = world.invoke_within(SOON if stalls else 20, event)
        self.told = told(self.posted, kind)

    def assert_failed(self, error: str, *, after_head: bool) -> None:
        """See that it failed with this error, in the form of its kind."""
        form, status = (
            ("error", 0) if self.kind in PASS_THROUGH else ("reply", STATUS[error])
        )
        if self.kind in STREAMING:
            form, status = "stream", 200 if after_head else STATUS[error]
        assert (self.told.form, self.told.status) == (form, status)
        assert self.told.error == f"Runtime.{error}"
        assert bool(self.posted.trailers) == (form == "stream" and after_head)

    def assert_said(self, content: bytes, status: int = 200) -> None:
        """See that this was its reply."""
        assert (self.told.status, self.told.content) == (status, content)
        assert (self.told.error, self.posted.trailers) == ("", [])

    def assert_settled(self, world: World, *, logged: bool) -> None:
        """See that it had one reply, and logged if it failed."""
        number = request_id(self.posted)
        assert len(world.answers(number)) == 1
        lines = [line for line in world.lines_about(number) if TEXT not in line]
        assert len(lines) == logged
        assert world.lives
        assert peak_memory(world.pid) < MOST_MEMORY


def ask(world: World, act: str, kind: str, method: str, body: str = "") -> Asked:
    """Ask for something between two requests whose responses must be as ever."""
    Asked(world, "say", "http_api", "GET")
    asked = Asked(world, act, kind, method, body)
    following = Asked(world, "say", "http_api", method)
    following.assert_said(following.name.encode())
    following.assert_settled(world, logged=False)
    return asked


@in_each_way(FAULTS)
def test_fault(worlds, app, act, connection, kind, method):
    """A response that can't be trusted, or never ends, fails its invocation alone.

    Only what is idempotent is asked again, once, and only over a kept connection that
    ended before a byte was said. Where that was a POST, no POST has a kept connection
    from then on.
    """
    fault, world = FAULTS[act], worlds[connection]
    kept = connection == "kept" and not (method == "POST" and world.has_lost_a_post)
    world.has_lost_a_post |= kept and method == "POST" and fault in UNSAID

    asked = ask(world, act, kind, method)

    error = "DeadlineError" if fault.stalls else "AppRequestError"
    asked.assert_failed(error, after_head=fault.after_head)
    asked.assert_settled(world, logged=True)
    again = fault in UNSAID and method == "GET" and kept
    assert (asked.name in app.used) == kept
    assert app.asked[asked.name] == 1 + again


@in_each_way(ODD)
def test_odd_answer(worlds, app, act, connection, kind, method):
    """An odd but valid response is accepted, and what follows it is no response."""
    asked = ask(worlds[connection], act, kind, method)

    asked.assert_said(ODD[act][1] or (b"null" if kind == "direct" else b""))
    asked.assert_settled(worlds[connection], logged=False)
    assert app.asked[asked.name] == 1


@in_each_way(TOO_MUCH)
def test_too_much(worlds, app, act, connection, kind, method):
    """A response that is too large for a reply is an error, unless it is streamed."""
    asked = ask(worlds[connection], act, kind, method)

    if kind in STREAMING:
        asked.assert_said(bytes(7_000_000))
    else:
        asked.assert_failed("ResponseTooLargeError", after_head=False)
    asked.assert_settled(worlds[connection], logged=kind not in STREAMING)
    assert app.asked[asked.name] == 1


@in_each_way(EARLY)
def test_early_answer(worlds, app, act, connection, kind, method):
    """A response that does not wait for its request is read, whatever the rest does.

    An application that neither reads nor responds has until the deadline. A reset may
    reach the adapter before the response does, and is a fault then.
    """
    asked = ask(worlds[connection], act, kind, method, LARGE)

    if EARLY[act].stalls:
        asked.assert_failed("DeadlineError", after_head=False)
    elif kind == "direct" or asked.told.status == 502:
        assert kind == "direct" or EARLY[act].then == "reset"
        asked.assert_failed("AppRequestError", after_head=False)
    else:
        asked.assert_said(b"early", 413)
    asked.assert_settled(worlds[connection], logged=bool(asked.told.error))
    assert app.asked[asked.name] == 1
