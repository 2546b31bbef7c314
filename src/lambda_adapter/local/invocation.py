"""An invocation, and the history of those that the inspector shows."""

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec
import trio

from lambda_adapter.http.messages import Response
from lambda_adapter.local.options import billed_ms

if TYPE_CHECKING:
    from lambda_adapter.runtime import api as runtime

MAX_LINES = 1_000
"""Lines of a log that are kept with an invocation."""

Respond = Callable[["Invocation"], Response]
"""Makes a response of a reply, of a stream's beginning, or of a failure."""


class Failure(msgspec.Struct, frozen=True):
    """Why an invocation or an environment failed, in Lambda's words."""

    error_type: str
    message: str


class Invocation:
    """An event, what became of it, and the log lines between them."""

    response: Response | None
    """What the gateway responds; of a stream, the head."""
    pieces: trio.MemoryReceiveChannel[bytes] | None
    """A streamed body, to be read by one reader."""
    failure: Failure | None

    def __init__(
        self,
        payload: bytes,
        title: str = "invoke",
        respond: Respond | None = None,
    ) -> None:
        self.payload = payload
        self.title = title
        """What was asked for, such as GET /cookies."""
        self.respond = respond
        """The gateway's part, if there is one."""
        self.request_id = str(uuid.uuid4())
        self.client_context = ""
        """JSON that its caller gave, for the runtime alone."""
        self.number = 0
        self.at = time.time()
        self.replied = trio.Event()
        """Set once there is a reply, the beginning of a stream, or a failure."""
        self.over = trio.Event()
        """Set once the environment is free for the next one."""
        self.told = trio.Event()
        """Set once it has been reported: nothing of it changes any more."""
        self.handed_at: float | None = None
        self.reply_payload = b""
        """A whole reply, or what comes before a streamed body."""
        self.pieces = None
        self.failure = None
        self.note = ""
        """What its gateway found wrong with the reply."""
        self.response = None
        self.is_refused = False
        """Whether its gateway refused the request, so that Lambda has no event."""
        self.lines: list[str] = []
        self.init_ms: float | None = None
        self.duration_ms = 0.0
        self.replied_ms = 0.0
        """How long it took to the reply, or to the end of a streamed one."""
        self.delivered: runtime.Invocation | None = None
        """What the runtime got, headers included."""
        self.memory_mb = 0

    def __repr__(self) -> str:
        parts = [f"#{self.number} {self.title}"]
        if self.response:
            parts.append(str(self.response.status))
        parts.append(f"{self.duration_ms:.1f} ms" if self.over.is_set() else "not over")
        if self.failure:
            parts.append(f"{self.failure.error_type}: {self.failure.message}")
        parts += [self.note] if self.note else []
        return f"<Invocation {', '.join(parts)}>"

    @property
    def event(self) -> dict[str, object]:
        """The event, if it is a JSON object; if not, there is ``payload``.

        Raises:
            ValidationError: it is something else.
        """
        return msgspec.json.decode(self.payload, type=dict[str, object])

    @property
    def reply(self) -> object:
        """The reply, or the prelude of a streamed one; None where there is none."""
        return msgspec.json.decode(self.reply_payload or b"null")

    @property
    def billed_ms(self) -> int:
        """What Lambda would bill, in milliseconds."""
        return billed_ms(self.duration_ms, self.init_ms)

    @property
    def size(self) -> int:
        """Bytes that it takes to remember it."""
        response = self.response.body if self.response else b""
        kept = len(response) if isinstance(response, bytes) else 0
        return (
            len(self.payload)
            + len(self.reply_payload)
            + kept
            + sum(map(len, self.lines))
        )

    def refuse(self, response: Response, why: str) -> None:
        """Note that the gateway responds by itself, and why."""
        self.is_refused = True
        self.response, self.note = response, why
        for event in (self.replied, self.over, self.told):
            event.set()

    def hand(self) -> None:
        """Note that the runtime has it."""
        self.handed_at = time.monotonic()

    def add_line(self, line: str) -> None:
        """Keep a line of the log, unless there are too many."""
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)

    def take(self, reply: bytes) -> None:
        """Take a whole reply."""
        self.reply_payload = reply
        self._settle()

    def begin(self, prelude: bytes, pieces: trio.MemoryReceiveChannel[bytes]) -> None:
        """Take the beginning of a streamed reply."""
        self.reply_payload = prelude
        self.pieces = pieces
        self._settle()

    def drop_pieces(self) -> None:
        """Let go of a streamed body that nobody reads."""
        if self.pieces:
            self.pieces.close()
            self.pieces = None

    def fail(self, failure: Failure) -> None:
        """Take the first failure; a reply that came before it stays."""
        self.failure = self.failure or failure
        self._settle()

    def finish(self) -> None:
        """Note that the environment is free again."""
        if self.handed_at and not self.over.is_set():
            self.duration_ms = (time.monotonic() - self.handed_at) * 1000
        self.over.set()

    def _settle(self) -> None:
        """Have the gateway respond, once."""
        if self.handed_at and not self.over.is_set():
            self.replied_ms = (time.monotonic() - self.handed_at) * 1000
        if not self.replied.is_set():
            if self.respond:
                self.response = self.respond(self)
            self.replied.set()


MAX_RECORDS = 100
"""Invocations that are remembered."""

MAX_SIZE = 67_108_864
"""Bytes that they take at most, the latest one aside."""


class History:
    """The recent invocations, the latest first."""

    def __init__(self) -> None:
        self._kept: deque[Invocation] = deque()
        self.count = 0
        """All that there ever were."""

    def __iter__(self) -> Iterator[Invocation]:
        return iter(self._kept)

    def add(self, invocation: Invocation) -> None:
        """Number an invocation, and remember it."""
        self.count += 1
        invocation.number = self.count
        self._kept.appendleft(invocation)
        while len(self._kept) > 1 and (
            len(self._kept) > MAX_RECORDS
            or sum(each.size for each in self._kept) > MAX_SIZE
        ):
            self._kept.pop()

    def find(self, number: int) -> Invocation | None:
        """Return an invocation by its number, if it is remembered."""
        return next((each for each in self._kept if each.number == number), None)
