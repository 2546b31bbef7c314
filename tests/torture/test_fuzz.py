"""Any event and any response at all, through one adapter process.

The law: exactly one reply or one error for each, of the form that its source reads, no
more than one request to the application, and the process lives on.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import SystemRandom
from typing import TypeVar

import pytest
import trio
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Event
from lambda_adapter.events.pass_through import (
    BatchEvent,
    PassThroughEvent,
    WebSocketEvent,
)
from lambda_adapter.http.messages import decoded
from tests.adapter import peak_memory
from tests.catalogue import CLASSES, KINDS, NAMES, REPLY_KEYS
from tests.events.examples import encode
from tests.fake_runtime_api import Posted
from tests.scripted_app import Received, receive, reset
from tests.torture.kinds import PASS_THROUGH, STREAMING, Told, told
from tests.torture.strategies import ANSWERS, documents, mutants
from tests.torture.world import Settings, World, open_world

LOOPS = 16
"""Each rests a moment after a broken connection; meanwhile the others serve."""

MOST_MEMORY = 150
"""MB that the adapter may ever hold."""

KIND_OF: dict[type[Event], str] = {
    **{decoded: kind for kind, decoded in CLASSES.items()},
    WebSocketEvent: "web_socket",
    PassThroughEvent: "direct",
    BatchEvent: "batch",
}

REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ /[!-~]* HTTP/1\.1")
FIELD_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?[^\r\n\0]*")

T = TypeVar("T")


class Mirror:
    """An application that responds with the request as it came, or as it is told."""

    def __init__(self) -> None:
        self.seen: list[Received] = []
        self.says: tuple[bytes, str] | None = None

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        with suppress(trio.BrokenResourceError):
            while request := await receive(stream):
                self.seen.append(request)
                if self.says:
                    raw, then = self.says
                    await stream.send_all(raw)
                    if then == "reset":
                        reset(stream)
                    break
                said = request.head + request.body
                head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n"
                head += b"content-length: %d\r\n\r\n" % len(said)
                is_head = request.head.startswith(b"HEAD ")
                await stream.send_all(head + (b"" if is_head else said))
        await stream.aclose()


class Fuzz:
    """One adapter process, and what has come of it."""

    def __init__(self, world: World, app: Mirror) -> None:
        self.world = world
        self.app = app

    def send(self, payload: bytes) -> tuple[Told, str]:
        """Send an event, and return its one reply, and the kind that it is of.

        A second reply that comes late is found with the next event.
        """
        self.app.seen.clear()
        posted = self.world.invoke(payload)
        kind = kind_of(payload)
        assert self.answers() == [posted]
        answer = told(posted, kind)
        if answer.form in {"reply", "stream"}:
            assert_well_formed(posted, kind)
        assert answer.error != "Runtime.InternalError"
        return answer, kind

    def answers(self) -> list[Posted]:
        """Return what was posted since this was asked last."""
        posted = self.world.runtime.posted
        answers = [each for each in posted if each.kind in {"response", "error"}]
        posted.clear()
        self.world.runtime.arriving.clear()
        return answers


def kind_of(payload: bytes) -> str:
    """Return the kind of an event; what is no event at all can only be an error."""
    try:
        return KIND_OF[classify(payload)]
    except EventError:
        return "direct"


def assert_well_formed(posted: Posted, kind: str) -> None:
    """See that a reply has what its source reads, and nothing else."""
    reply = posted.prelude() if posted.is_stream else posted.json()
    status = reply.pop("statusCode")
    assert isinstance(status, int)
    assert 200 <= status <= 599
    if not posted.is_stream:
        assert isinstance(reply.pop("body"), str)
        assert isinstance(reply.pop("isBase64Encoded"), bool)
    assert reply.keys() == REPLY_KEYS[kind]
    for lists in (reply.get("multiValueHeaders", {}), {"": reply.get("cookies", [])}):
        assert isinstance(lists, dict)
        for values in lists.values():
            assert all(isinstance(value, str) for value in values)
    headers = reply.get("headers", {})
    assert isinstance(headers, dict)
    assert all(isinstance(value, str) for value in headers.values())


def assert_sound(request: Received) -> None:
    """See that it is one request, and no reader could take it for another."""
    line, *fields = request.head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert REQUEST_LINE.fullmatch(line)
    assert all(FIELD_LINE.fullmatch(each) for each in fields)
    (length,) = request.values(b"content-length") or [b"0"]
    assert len(request.body) == int(length)
    assert len(request.values(b"host")) == 1
    assert request.values(b"transfer-encoding") == []
    assert len(request.values(b"x-amzn-lambda-context")) == 1
    assert len(request.values(b"x-amzn-request-context")) == 1
    assert len(request.values(b"x-amzn-requestid")) == 1


@pytest.fixture(scope="module")
def fuzz() -> Iterator[Fuzz]:
    app = Mirror()
    settings: Settings = {
        "AWS_LAMBDA_MAX_CONCURRENCY": str(LOOPS),
        "AWS_LWA_INVOKE_MODE": "response_stream",
        "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
    }
    with open_world(app.serve, **settings) as world:
        pid = world.pid
        fuzz = Fuzz(world, app)
        yield fuzz
        answer, _ = fuzz.send(b"{}")
        assert answer.form == "body"
        assert (world.lives, world.pid) == (True, pid)
        assert peak_memory(pid) < MOST_MEMORY
        assert "Traceback" not in world.adapter.log


@pytest.fixture
def try_all(long):
    """Try so many of anything: in the long form others each time, and more."""

    def run(check: Callable[[T], None], strategy: st.SearchStrategy[T], many: int):
        number = SystemRandom().randrange(10**6) if long else 1
        print("seed", number)
        bounded = settings(
            max_examples=many if long else many // 50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(bounded(given(strategy)(lambda drawn: check(drawn))))()

    return run


def check_event(fuzz: Fuzz, payload: bytes) -> None:
    """See that an event comes to what it must come to."""
    answer, kind = fuzz.send(payload)

    if answer.error:
        assert answer.error == "Runtime.EventError"
        assert answer.status == (0 if kind in PASS_THROUGH else 400)
        assert fuzz.app.seen == []
    else:
        (request,) = fuzz.app.seen
        assert_sound(request)
        is_head = request.head.startswith(b"HEAD ")
        content = b"" if is_head else request.head + request.body
        if kind in PASS_THROUGH:
            content = b"null" if kind == "batch" else decoded(content).encode()
        assert (answer.status, answer.content) == (200, content)
        if kind in PASS_THROUGH:
            assert request.body == payload


@pytest.mark.parametrize("name", NAMES)
def test_any_event(fuzz, try_all, name):
    """An event of any kind, however it is mangled, has a reply or is an error."""
    try_all(lambda payload: check_event(fuzz, payload), mutants(name), 550)


def test_any_json(fuzz, try_all):
    """Any JSON, which need not be an event, is replied to or is an error."""
    try_all(lambda payload: check_event(fuzz, payload), documents(), 3_000)


@pytest.mark.parametrize("key", ["a", "requestContext", "headers", "httpMethod"])
def test_any_depth(fuzz, key):
    """An event nested more deeply than can be read is replied to or is an error."""
    for depth in (100, 200_000):
        start, end = b'{"%s":' % key.encode() * depth, b"}" * depth
        check_event(fuzz, start + b"1" + end)


def test_any_bytes(fuzz, try_all):
    """Any bytes, which need not be JSON, are replied to or are an error."""
    try_all(lambda payload: check_event(fuzz, payload), st.binary(max_size=99), 2_000)


@pytest.mark.parametrize(
    "kind", ["http_api", "alb_multi_value", "function_url", "direct"]
)
def test_any_answer(fuzz, try_all, kind):
    """Whatever the application responds, its client gets one well-formed response."""

    def check(says: tuple[bytes, str]) -> None:
        fuzz.app.says = says
        payload = encode(KINDS[kind]("POST", "/", ""))
        try:
            answer, _ = fuzz.send(payload)
        finally:
            fuzz.app.says = None
        assert answer.error in {"", "Runtime.AppRequestError"}
        assert answer.form == "stream" if kind in STREAMING else True
        assert len(fuzz.app.seen) == 1

    answers = st.tuples(ANSWERS, st.sampled_from(["close", "reset"]))
    try_all(check, answers, 600)
