"""The invoke loop: the next event, its request, the response, the reply.

``_serve`` is one invocation from end to end, and each of its lines is one step. What
goes wrong in a step is in one branch of the error tree (``errors``), and the branch
says what happens next:

- ``InvocationError``: this invocation fails. An HTTP client gets a response, anything
  else an invocation error, and the loop goes on.
- ``FatalError``: there is nothing left to serve. The loop ends, and its process.
- any other ``Exception`` is a fault of the adapter. It is logged with its traceback and
  counts as an ``InvocationError``: a bug costs one invocation, not the environment.

The next event is asked for only after ``finish``: Lambda freezes the environment while
``/next`` is open, so whatever an application still has to do, it has to do before.

A loop is stopped between two invocations and never within one (``stop``), so that an
invocation beside one that can't be ended is served to its end.
"""

import contextlib
import math
import time

import msgspec
import trio

from lambda_adapter.app.app import LONGEST, Call
from lambda_adapter.app.middleware import Transports
from lambda_adapter.config import Config
from lambda_adapter.errors import FatalError, InternalError, InvocationError
from lambda_adapter.events.classify import classify, read_fast
from lambda_adapter.events.event import Context, Event, error_response
from lambda_adapter.events.reply import find_wide_fields, within_limit
from lambda_adapter.http.messages import Request, Response, authority
from lambda_adapter.observe.logs import log, request_id, tenant_id, warn_once
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_lambda_context


def find_deadline(invocation: Invocation, margin: float, now: float) -> float:
    """Return when to give the application up, by trio's clock.

    That is some seconds before Lambda's deadline, so that the client is still told, and
    Lambda does not end the whole environment. An implausible deadline is ignored.
    """
    left = invocation.deadline_ms / 1000 - time.time()
    if not 0 < left < LONGEST:
        return now + LONGEST
    return now + max(left - margin, 0)


def as_invocation_error(error: Exception, subject: str) -> InvocationError:
    """Log the failure of a subject, and return it as one of this invocation's.

    This is the one place where a fault of the adapter is caught: it costs an
    invocation, not the environment.
    """
    if isinstance(error, InvocationError):
        log.error("%s", error.line(subject))
        return error
    failure = InternalError(f"a fault of the adapter: {type(error).__name__}: {error}")
    log.error("%s", failure.line(subject), exc_info=error)
    return failure


def encode(call: Call, response: Response) -> bytes:
    """Return the reply, or what comes before the body of a streamed one.

    Raises:
        ResponseTooLargeError: the reply's source would not take it.
    """
    kind = call.kind
    if call.streamed:
        reply = kind.encode_prelude(response)
    else:
        reply = within_limit(kind, kind.encode_response(response))
    if warning := find_wide_fields(kind, response, len(reply)):
        log.warning("%s", warning)
    if not kind.is_http and (remark := kind.remark(response, reply)):
        warn_once(remark)
    return reply


POST_TIMEOUT = 5.0
"""Seconds that Lambda has to accept a reply, at the least. It takes milliseconds, and
has until the deadline if that is later."""

FRESH = 0.5
"""Seconds since the event came within which the connection that brought it takes the
reply without being looked at first. So does it take the wait for the next event after
a reply. No server closes an idle one so soon; after one that does, a new one is
tried."""


class InvokeLoop:
    """Takes invocations to an application, one after the other."""

    _is_idle = False
    """Whether the loop waits for an event."""
    _stops = False
    _posted = -math.inf
    """When the latest reply was sent that was not streamed, by trio's clock."""

    def __init__(
        self,
        runtime: RuntimeClient,
        transports: Transports,
        env_config: msgspec.Raw,
        config: Config,
    ) -> None:
        self._runtime = runtime
        self._transports = transports
        self._env_config = env_config
        self._streams = config.invoke_mode == "response_stream"
        self._deadline_margin = config.deadline_margin
        self._pass_through_path = config.pass_through_path.encode()
        self._host = authority(config.app_address)
        self._life = trio.CancelScope()
        clock = trio.lowlevel.current_clock()
        self._current_time = clock.current_time  # as trio's own, by three calls less

    async def run(self) -> None:
        """Serve until stopped. The loop owns its RuntimeClient and closes it.

        Raises:
            FatalError: there is nothing left to serve.
        """
        with contextlib.closing(self._runtime), self._life:
            while not self._stops:
                await self._serve()

    def stop(self) -> None:
        """Take no further event. One that has come, or is coming, is still served."""
        self._stops = True
        if self._is_idle and not self._runtime.is_being_answered():
            self._life.cancel()

    async def _serve(self) -> None:
        call = await self._next()
        try:
            request = self._decode(call)
            response = await self._send(call, request)
            reply = encode(call, response)
            await self._post(call, reply, response)
        except FatalError:
            raise
        except Exception as error:
            await self._fail(call, as_invocation_error(error, call.subject))
        await self._transports.http.finish(call.deadline)
        request_id.set("")

    async def _next(self) -> Call:
        self._is_idle = True
        is_fresh = self._current_time() - self._posted < FRESH
        invocation = await self._runtime.next_invocation(is_fresh=is_fresh)
        self._is_idle = False
        request_id.set(invocation.request_id)
        if invocation.tenant_id:  # an environment has one tenant, so this one stays
            tenant_id.set(invocation.tenant_id)
        now = self._current_time()
        deadline = find_deadline(invocation, self._deadline_margin, now)
        return Call(invocation, deadline, started=now)

    def _decode(self, call: Call) -> Request:
        payload = call.invocation.payload
        event: Event | None = read_fast(payload)
        kind = call.kind = type(event) if event else classify(payload)
        call.streamed = kind.streams and self._streams
        call.max_body = kind.max_reply
        event = call.event = event or kind.decode(payload)
        request = call.request = event.request(self._context(call.invocation))
        return request

    def _context(self, invocation: Invocation) -> Context:
        return Context(
            encode_lambda_context(invocation, self._env_config),
            invocation.trace_id.encode("latin-1"),
            invocation.tenant_id.encode("latin-1"),
            self._pass_through_path,
            self._host,
            invocation.request_id.encode(),
        )

    async def _send(self, call: Call, request: Request) -> Response:
        http, other = self._transports
        transport = http if call.kind.is_http else other
        response = await transport.send(request, call)
        call.kind.check_response(request, response)
        return response

    async def _post(self, call: Call, reply: bytes, response: Response) -> None:
        if call.streamed:
            await self._runtime.post_stream(call.invocation, reply, response.body, call)
        else:
            now = self._posted = self._current_time()
            deadline = max(call.deadline, now + POST_TIMEOUT)
            is_fresh = now - call.started < FRESH
            await self._runtime.post_response(
                call.invocation, reply, deadline, is_fresh=is_fresh
            )

    async def _fail(self, call: Call, failure: InvocationError) -> None:
        """Report the failure: as a response to a client, else as an error."""
        with trio.move_on_after(POST_TIMEOUT) as scope:
            if not (call.kind.is_http and failure.is_for_client):
                await self._runtime.post_error(call.invocation, failure)
            else:
                response = error_response(failure, call.invocation.request_id)
                await self._post(call, encode(call, response), response)
        if scope.cancelled_caught:
            log.error("the failure did not reach Lambda: it was not taken in time")
