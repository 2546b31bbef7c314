"""An invocation, and the history that the inspector shows."""

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
"""Most log lines to keep with an invocation."""

Respond = Callable[["Invocation"], Response]
"""Makes the response from a reply, the beginning of a stream, or a failure."""


class Failure(msgspec.Struct, frozen=True):
    """The failure of an invocation or an environment, as Lambda reports it."""

    error_type: str
    message: str


class Invocation:
    """An event with its result and its log lines."""

    client_context = ""
    """JSON from the caller, for the runtime only."""
    number = 0
    handed_at: float | None = None
    delivered: "runtime.Invocation | None" = None
    """The invocation as the runtime got it, with its headers."""
    reply_payload = b""
    """A whole reply, or the prelude of a streamed one."""
    response: Response | None = None
    """The gateway's response; only the head if it is streamed."""
    pieces: trio.MemoryReceiveChannel[bytes] | None = None
    """A streamed body, for one reader."""
    failure: Failure | None = None
    note = ""
    """The gateway's objection to the reply."""
    is_refused = False
    """Whether the gateway refused the request, so that there was no event."""
    calls = 0
    """How often a MicroVM's hook was called; 0 for an event of a function."""
    init_ms: float | None = None
    duration_ms = 0.0
    replied_ms = 0.0
    """Duration until the reply, or until the end of a streamed one."""
    memory_mb = 0

    def __init__(
        self,
        payload: bytes,
        title: str = "invoke",
        respond: Respond | None = None,
    ) -> None:
        self.payload = payload
        self.title = title
        """The request, such as GET /cookies."""
        self.respond = respond
        """The gateway's part, if there is one."""
        self.request_id = str(uuid.uuid4())
        self.at = time.time()
        self.replied = trio.Event()
        """Set once there is a reply, the beginning of a stream, or a failure."""
        self.over = trio.Event()
        """Set once the environment is free for the next invocation."""
        self.told = trio.Event()
        """Set once it is reported; nothing changes after that."""
        self.lines: list[str] = []

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
    def is_hook(self) -> bool:
        """Whether it is a call of a MicroVM's hook, and not an event of a function."""
        return self.calls > 0

    @property
    def label(self) -> str:
        """The title; of a hook, with the number of calls if there were several."""
        return f"{self.title} ({self.calls} calls)" if self.calls > 1 else self.title

    @property
    def event(self) -> dict[str, object]:
        """The event, if it is a JSON object; otherwise use ``payload``.

        Raises:
            ValidationError: it is not an object.
        """
        return msgspec.json.decode(self.payload, type=dict[str, object])

    @property
    def reply(self) -> object:
        """The reply, or the prelude of a streamed one; None if there is none."""
        return msgspec.json.decode(self.reply_payload or b"null")

    @property
    def billed_ms(self) -> int:
        """Milliseconds that Lambda would bill."""
        return billed_ms(self.duration_ms, self.init_ms)

    @property
    def size(self) -> int:
        """Bytes of memory that it takes to keep."""
        response = self.response.body if self.response else b""
        kept = len(response) if isinstance(response, bytes) else 0
        return (
            len(self.payload)
            + len(self.reply_payload)
            + kept
            + sum(map(len, self.lines))
        )

    def refuse(self, response: Response, why: str) -> None:
        """Record that the gateway responds by itself, and why."""
        self.is_refused = True
        self.response, self.note = response, why
        for event in (self.replied, self.over, self.told):
            event.set()

    def hand(self) -> None:
        """Record that the runtime has got it."""
        self.handed_at = time.monotonic()

    def add_line(self, line: str) -> None:
        """Keep a log line, unless there are too many."""
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)

    def take(self, reply: bytes) -> None:
        """Accept a whole reply."""
        self.reply_payload = reply
        self._settle()

    def begin(self, prelude: bytes, pieces: trio.MemoryReceiveChannel[bytes]) -> None:
        """Accept the beginning of a streamed reply."""
        self.reply_payload = prelude
        self.pieces = pieces
        self._settle()

    def drop_pieces(self) -> None:
        """Close a streamed body that nobody reads."""
        if self.pieces:
            self.pieces.close()
            self.pieces = None

    def fail(self, failure: Failure) -> None:
        """Accept the first failure; an earlier reply is kept."""
        self.failure = self.failure or failure
        self._settle()

    def finish(self) -> None:
        """Record that the environment is free again."""
        if self.handed_at and not self.over.is_set():
            self.duration_ms = (time.monotonic() - self.handed_at) * 1000
        self.over.set()

    def _settle(self) -> None:
        """Let the gateway respond, once."""
        # A call from here up into the gateway, by a function that the invocation
        # carries: what is printed, shown in the inspector and sent to the client is
        # then one value, and a replay makes it again.
        if self.handed_at and not self.over.is_set():
            self.replied_ms = (time.monotonic() - self.handed_at) * 1000
        if not self.replied.is_set():
            if self.respond:
                self.response = self.respond(self)
            self.replied.set()


MAX_RECORDS = 100
"""Most invocations to keep."""

MAX_SIZE = 67_108_864
"""Most bytes that they may take, except for the latest one."""


class History:
    """The recent invocations, latest first."""

    def __init__(self) -> None:
        self._kept: deque[Invocation] = deque()
        self.count = 0
        """Number of all invocations so far."""

    def __iter__(self) -> Iterator[Invocation]:
        return iter(self._kept)

    def add(self, invocation: Invocation) -> None:
        """Number an invocation, and keep it."""
        self.count += 1
        invocation.number = self.count
        self._kept.appendleft(invocation)
        while len(self._kept) > 1 and (
            len(self._kept) > MAX_RECORDS
            or sum(each.size for each in self._kept) > MAX_SIZE
        ):
            self._kept.pop()

    def find(self, number: int) -> Invocation | None:
        """Return an invocation by its number, if it is kept."""
        return next((each for each in self._kept if each.number == number), None)
