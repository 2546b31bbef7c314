"""A Runtime API that hands out a plan, and checks each reply as it comes.

It keeps counts and nothing else, so that two hundred thousand of them are no load.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import httptools
import trio

from tests.catalogue import KINDS
from tests.fake_runtime_api import EVENT_NEXT, FUNCTION_ARN, NEXT, REGISTER, Posted
from tests.torture.kinds import PASS_THROUGH, STREAMING, Told, told
from tests.torture.soak_app import content

WHAT = {
    "fine": 600,
    "chunked": 250,
    "drop": 30,
    "last": 20,
    "refuse": 20,
    "once": 10,
    "closed": 15,
    "reset": 15,
    "garbage": 10,
    "half-head": 10,
    "half-body": 19,
    "stall": 1,
}
"""What the application is asked to do, and how often in a thousand times."""

SOUND = {"fine", "chunked", "drop", "last"}

DEADLINE = 60.0
STALL_DEADLINE = 0.5
"""Seconds: what stalls is to end soon, and nothing else is to end by time."""

STILL = 30
"""Seconds in which something must be answered, and more than that; if not, one is lost.
It ends a soak that hangs, and measures nothing."""

HANG_UP = 0.01
"""How often Lambda closes a connection after an answer."""


@dataclass(frozen=True)
class Planned:
    """One invocation, and all that decides how it must end."""

    number: int
    kind: str
    method: str
    what: str
    size: int
    taken: int

    @property
    def payload(self) -> bytes:
        path = f"/soak/{self.what}/{self.number}/{self.size}/{self.taken}"
        body = "x" * self.taken
        if self.kind in PASS_THROUGH:
            path = path.rpartition("/")[0] + "/0"
        return json.dumps(KINDS[self.kind](self.method, path, body)).encode()

    def is_right(self, answer: Told, mode: str) -> bool:
        """Whether this reply may be this invocation's."""
        said = content(self.number, self.size)
        streams = self.kind in STREAMING and mode == "response_stream"
        passes = self.kind in PASS_THROUGH
        good = Told(
            "stream" if streams else "body" if passes else "reply", 200, said, ""
        )
        if self.what in SOUND:
            return answer == good
        if self.what == "once" and self.method == "GET" and answer == good:
            return True  # asked again, because it can be
        status, error = 502, "Runtime.AppRequestError"
        if self.what == "stall":
            status, error = 504, "Runtime.DeadlineError"
        if passes:
            return answer == Told("error", 0, b"", error)
        if self.what == "refuse":
            return answer == Told(good.form, 503, said, "")
        if self.what == "half-body" and streams:
            return answer == Told("stream", 200, said, error)
        same = (answer.form, answer.status, answer.error) == (good.form, status, error)
        return same and f'"requestId":"soak-{self.number}"'.encode() in answer.content


def plan(many: int, chance: Random) -> Iterator[Planned]:
    """Return that many invocations, of all kinds and fates."""
    for number in range(many):
        kind = chance.choice(list(KINDS))
        method = "POST" if kind in PASS_THROUGH else chance.choice(["GET", "POST"])
        (what,) = chance.choices(list(WHAT), list(WHAT.values()))
        size, taken = chance.randrange(1, 2_000), chance.randrange(0, 2_000)
        if chance.random() < 0.004 and what != "drop":
            largest = 500_000 if kind.startswith("alb") else 1_000_000
            size, taken = chance.randrange(largest), chance.randrange(1_000_000)
        yield Planned(number, kind, method, what, size + 1, taken)


class Soak:
    """The plan, and what has become of it."""

    def __init__(self, many: int, mode: str, seed: int) -> None:
        self.many = many
        self.mode = mode
        self.chance = Random(seed)
        self.waiting = plan(many, Random(seed))
        self.open: dict[str, Planned] = {}
        self.answered = 0
        self.failed: set[str] = set()
        self.faults: Counter[str] = Counter()
        self.wrong: list[object] = []
        """Whatever must not be: answers to nothing, or of another's."""
        self.limit = 0
        """How many invocations may be handed out by now."""
        self.news = trio.Condition()
        self.freezes = 0

    async def run_to(self, limit: int) -> None:
        """Hand out so many, and return when they have replies, and all loops wait."""
        self.limit = limit
        async with self.news:
            self.news.notify_all()
            while self.answered < limit or self.open:
                with trio.fail_after(STILL):
                    await self.news.wait()

    async def wait_answered(self, number: int) -> None:
        """Wait until that many are."""
        async with self.news:
            while self.answered < number:
                await self.news.wait()

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        try:
            async with stream:
                while request := await _receive(stream):
                    if not await self._answer(stream, request):
                        return
        except trio.BrokenResourceError:
            pass

    async def _answer(self, stream: trio.SocketStream, request: Posted) -> bool:
        if request.target == NEXT:
            await stream.send_all(await self._next())
            return True
        if request.target == REGISTER:
            extension = b"lambda-extension-identifier: e\r\n"
            await stream.send_all(_answer(b"200", extension, b"{}"))
            return True
        if request.target == EVENT_NEXT:
            await stream.receive_some()
            return False
        status = self._take(request)
        await stream.send_all(_answer(status, b"", b'{"status":"OK"}'))
        if self.answered >= self.limit or self.answered % 100 == 0:
            async with self.news:
                self.news.notify_all()
        return self.chance.random() > HANG_UP

    async def _next(self) -> bytes:
        """Return the next invocation, once there may be one."""
        while self.limit <= self.answered + len(self.open):
            async with self.news:
                await self.news.wait()
        planned = next(self.waiting)
        request_id = f"soak-{planned.number}"
        self.open[request_id] = planned
        left = STALL_DEADLINE if planned.what == "stall" else DEADLINE
        fields = (
            f"lambda-runtime-aws-request-id: {request_id}\r\n"
            f"lambda-runtime-deadline-ms: {int((time.time() + left) * 1000)}\r\n"
            f"lambda-runtime-invoked-function-arn: {FUNCTION_ARN}\r\n"
        )
        return _answer(b"200", fields.encode(), planned.payload)

    def _take(self, request: Posted) -> bytes:
        """Check a reply, and return the status of Lambda's own."""
        request_id = request.target.split("/")[-2]
        planned = self.open.pop(request_id, None)
        if planned is None:
            self.wrong.append(f"{request.target} was answered already, or never asked")
            return b"400"
        self.answered += 1
        answer = told(request, planned.kind)
        if not planned.is_right(answer, self.mode):
            self.wrong.append((planned, answer))
        if answer.error:
            self.failed.add(request_id)
            self.faults[planned.what] += 1
        return b"202"


async def _receive(stream: trio.SocketStream) -> Posted | None:
    request = Posted()
    parser = httptools.HttpRequestParser(request)
    while not request.complete:
        data = await stream.receive_some()
        if not data:
            return None
        parser.feed_data(data)
    return request


def _answer(status: bytes, fields: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s Whatever\r\n%scontent-length: %d\r\n\r\n"
    return head % (status, fields, len(body)) + body
