"""The way of an invocation: next, decode, send, encode, post. Shell."""

import contextlib
import math
import time
from collections.abc import AsyncGenerator

import msgspec
import trio

from lambda_adapter import events
from lambda_adapter.apps.seats import Seats
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    DeadlineError,
    FatalError,
    InternalError,
    InvocationError,
)
from lambda_adapter.events.event import Event, error_response
from lambda_adapter.events.fields import Context
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.limits import find_wide_fields, within_limit
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Response, Stream
from lambda_adapter.observe.logs import log, request_id
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_lambda_context
from lambda_adapter.values import authority

LONGEST = 900.0
"""Seconds that an invocation can last, whatever its deadline says:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

POST_LIMIT = 5.0
"""Seconds that Lambda has to accept an answer, at the least. It takes milliseconds, and
has until the deadline if that is later."""

LATE = "the application did not answer before Lambda's deadline"


class Turn(msgspec.Struct, gc=False):
    """An invocation, and how far it has come."""

    invocation: Invocation
    kind: type[Event] = PassThroughEvent
    """The invocation's, once that is known."""
    reply: bytes = b""
    """What is posted, once there is something to post."""


class InvokeLoop:
    """Takes invocations to an application, one after the other."""

    def __init__(
        self,
        runtime: RuntimeClient,
        seats: Seats,
        env_config: msgspec.Raw,
        config: Config,
    ) -> None:
        self._runtime = runtime
        self._seats = seats
        self._env_config = env_config
        self._invoke_mode = config.invoke_mode
        self._deadline_margin = config.deadline_margin
        self._pass_through_path = config.pass_through_path.encode()
        self._host = authority(config.app_address)

    async def run(self) -> None:
        """Serve until cancelled. The loop owns its RuntimeClient and closes it.

        Raises:
            FatalError: there is nothing left to serve.
        """
        with contextlib.closing(self._runtime):
            while True:
                await self.serve()

    async def serve(self) -> None:
        """Take one invocation to the application, and its response to Lambda.

        The cancel scope is opened while idle, so that its cost (5 % of an invocation,
        measured) does not add to the client's latency.

        Raises:
            FatalError: there is nothing left to serve.
        """
        turn: Turn | None = None
        failure: InvocationError | None = None
        deadline = math.inf
        with trio.CancelScope() as limit:
            turn = Turn(await self._runtime.next_invocation())
            request_id.set(turn.invocation.request_id)
            limit.deadline = deadline = self._deadline(turn.invocation)
            failure = await self._answer(turn, limit)
        if turn and limit.cancelled_caught:
            failure = _overdue(turn)
        if turn and failure:
            await self._fail(turn, failure)
        await self._seats.http.finish(deadline)
        request_id.set("")

    async def _answer(
        self, turn: Turn, limit: trio.CancelScope
    ) -> InvocationError | None:
        """Answer an invocation by a reply or a stream, or return why that failed."""
        invocation = turn.invocation
        try:
            kind = turn.kind = events.classify(invocation.payload)
            response = await self._ask(invocation, kind)
            if self._streams(kind):
                deadline, limit.deadline = limit.deadline, math.inf
                await self._stream(turn, response, deadline)
            else:
                await trio.lowlevel.checkpoint_if_cancelled()
                turn.reply = within_limit(kind, kind.encode_response(response))
                _warn_of_fields(kind, response, len(turn.reply))
                _leave_time(limit, POST_LIMIT)
                await self._runtime.post_response(invocation, turn.reply)
        except FatalError:
            raise
        except Exception as error:
            return _as_invocation_error(error)
        return None

    async def _stream(self, turn: Turn, response: Response, deadline: float) -> None:
        async with _closing(response):
            await trio.lowlevel.checkpoint_if_cancelled()
            prelude = turn.kind.encode_prelude(response)
            _warn_of_fields(turn.kind, response, len(prelude))
            body = _until(deadline, response.body)
            await self._runtime.post_stream(turn.invocation, prelude, body)

    async def _ask(self, invocation: Invocation, kind: type[Event]) -> Response:
        """Send an event to the application, and return the response."""
        event = kind.decode(invocation.payload)
        request = event.request(self._context(invocation))
        is_http = issubclass(kind, HttpEvent)
        seat = self._seats.http if is_http else self._seats.other
        response = await seat.send(request, streamed=self._streams(kind))
        kind.check_response(request, response)
        return response

    async def _fail(self, turn: Turn, failure: InvocationError) -> None:
        """Report the failure: as a response to a client, else as an error."""
        invocation, kind = turn.invocation, turn.kind
        answer = error_response(failure, invocation.request_id)
        with trio.move_on_after(POST_LIMIT) as limit:
            if not (issubclass(kind, HttpEvent) and failure.is_answerable):
                await self._runtime.post_error(invocation, failure)
            elif self._streams(kind):
                await self._stream(turn, answer, math.inf)
            else:
                reply = kind.encode_response(answer)
                await self._runtime.post_response(invocation, reply)
        if limit.cancelled_caught:
            _log_untaken()

    def _deadline(self, invocation: Invocation) -> float:
        """Return when to give the application up, by trio's clock.

        That is a margin before Lambda's deadline, so that the client is still told, and
        Lambda does not end the whole environment. One that makes no sense is none.
        """
        left = invocation.deadline_ms / 1000 - time.time()
        if not 0 < left < LONGEST:
            return trio.current_time() + LONGEST
        return trio.current_time() + max(left - self._deadline_margin, 0)

    def _streams(self, kind: type[Event]) -> bool:
        return kind.streams and self._invoke_mode == "response_stream"

    def _context(self, invocation: Invocation) -> Context:
        return Context(
            encode_lambda_context(invocation, self._env_config),
            invocation.trace_id.encode("latin-1"),
            invocation.tenant_id.encode("latin-1"),
            self._pass_through_path,
            self._host,
        )


def _warn_of_fields(kind: type[Event], response: Response, size: int) -> None:
    if warning := find_wide_fields(kind, response, size):
        log.warning("%s", warning)


def _leave_time(limit: trio.CancelScope, seconds: float) -> None:
    """Put a limit off, if there is less time left than that."""
    least = trio.current_time() + seconds
    if limit.deadline < least:
        limit.deadline = least


def _overdue(turn: Turn) -> InvocationError | None:
    """Say what there was no time for: the application's answer, or only its post."""
    if turn.reply:
        _log_untaken()
        return None
    return _as_invocation_error(DeadlineError(LATE))


def _log_untaken() -> None:
    log.error("the reply did not reach Lambda: it was not taken in time")


@contextlib.asynccontextmanager
async def _closing(response: Response) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        if not isinstance(response.body, bytes):
            await response.body.aclose()


async def _until(deadline: float, body: bytes | Stream) -> AsyncGenerator[bytes, None]:
    """Pass the pieces of a body on, for as long as there is time."""
    if isinstance(body, bytes):
        if body:
            yield body
        return
    while True:
        try:
            with trio.fail_at(deadline):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        except trio.TooSlowError:
            message = "the application did not end its answer in time"
            raise DeadlineError(message) from None
        yield piece


def _as_invocation_error(error: Exception) -> InvocationError:
    """Log a failure, and return it as one of this invocation's.

    This is the one place where a fault of the adapter is caught: it costs an
    invocation, not the environment.
    """
    if isinstance(error, InvocationError):
        log.error("%s: %s", error.error_type, error)
        return error
    failure = InternalError(f"a fault of the adapter: {type(error).__name__}: {error}")
    log.error("%s", failure, exc_info=error)
    return failure
