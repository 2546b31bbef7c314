"""The invoke loop: the next event, its request, the response, the reply.

``_serve`` is one invocation from end to end, and each of its lines is one step. A
failed step raises an error, and the branch of the error tree (``errors``) to which that
belongs decides what happens next:

- ``InvocationError``: this invocation fails. An HTTP client gets a response, any other
  source an invocation error, and the loop continues.
- ``FatalError``: serving can't go on. The loop ends, and with it the process.
- any other ``Exception`` is a bug of the adapter. It is logged with its traceback and
  treated as an ``InvocationError``, so that it costs one invocation, not the
  environment.

The next event is requested only after ``finish``: Lambda freezes the environment while
``/next`` is pending, so the application has to complete its remaining work before.

A loop is stopped between invocations, never within one (``stop``): if the application
is stuck in one of several concurrent invocations, the others are still completed.
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
    """Return the application's deadline, on trio's clock.

    It is ``margin`` seconds before Lambda's own, which leaves time to respond to the
    client, so that Lambda does not kill the environment. An implausible one is ignored.
    """
    left = invocation.deadline_ms / 1000 - time.time()
    if not 0 < left < LONGEST:
        return now + LONGEST
    return now + max(left - margin, 0)


def as_invocation_error(error: Exception, subject: str) -> InvocationError:
    """Log a failure, and return it as an ``InvocationError``.

    This is the only place that catches bugs of the adapter, so that each costs one
    invocation, not the environment.
    """
    if isinstance(error, InvocationError):
        log.error("%s", error.line(subject))
        return error
    failure = InternalError(f"a fault of the adapter: {type(error).__name__}: {error}")
    log.error("%s", failure.line(subject), exc_info=error)
    return failure


def encode(call: Call, response: Response) -> bytes:
    """Return the reply, or the prelude of a streamed one.

    Raises:
        ResponseTooLargeError: the reply exceeds the source's limit.
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
"""Minimum timeout for posting a reply, in seconds. Lambda needs milliseconds, and gets
until the deadline if that is later."""

FRESH = 0.5
"""Seconds since the event came within which the connection that brought it takes the
reply without being looked at first. So does it take the wait for the next event after
a reply. No server closes an idle one so soon; after one that does, a new one is
tried."""


LARGE_MARGIN = 1.0
"""Seconds of a deadline margin, for which no request has time that came in time. With
the default margin, it is an event that was delivered late."""


class InvokeLoop:
    """Serves invocations, one after the other, through one transport."""

    _is_idle = False
    """Whether the loop is waiting for an event."""
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
        self._streams = config.streams
        self._deadline_margin = config.deadline_margin
        self._pass_through_path = config.pass_through_path.encode()
        self._host = authority(config.app_address)
        self._life = trio.CancelScope()
        clock = trio.lowlevel.current_clock()
        # ``trio.current_time`` looks up the run, its runner and the clock at each call.
        # The clock never changes.
        self._current_time = clock.current_time

    async def run(self) -> None:
        """Serve until stopped. The loop owns its RuntimeClient and closes it.

        Raises:
            FatalError: serving can't go on.
        """
        with contextlib.closing(self._runtime), self._life:
            while not self._stops:
                await self._serve()

    def stop(self) -> None:
        """Stop before the next event. One that has arrived, even in part, is served."""
        self._stops = True
        # Cancelling the wait would lose an event of which a part has arrived: for
        # Lambda it is delivered, and its client would wait for the timeout.
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
        # The one place that may catch everything. An error that gets past it would end
        # the environment, and fail the next invocation as well.
        except Exception as error:
            await self._fail(call, as_invocation_error(error, call.subject))
        except BaseException:  # a cancellation, alone or in a group
            self._log_cut_off(call)
            raise
        # After a failure as well, and always before the next event is requested: Lambda
        # freezes the environment during that request, and the application with it. Both
        # stacks end at the same transport, so one ``finish`` is enough.
        await self._transports.http.finish(call.deadline)
        request_id.set("")

    def _log_cut_off(self, call: Call) -> None:
        """Name the request that the end of the environment cuts off."""
        log.warning(
            "%s: cut off after %.2f s, because the environment ends",
            call.subject,
            self._current_time() - call.started,
        )

    async def _next(self) -> Call:
        self._is_idle = True
        # Checking whether the kept connection is dead takes a system call. One that has
        # just carried a reply is not, as a rule; if it is, the request is repeated over
        # a new one.
        is_fresh = self._current_time() - self._posted < FRESH
        invocation = await self._runtime.next_invocation(is_fresh=is_fresh)
        self._is_idle = False
        request_id.set(invocation.request_id)
        if invocation.tenant_id:  # never reset: an environment has only one tenant
            tenant_id.set(invocation.tenant_id)
        now = self._current_time()
        deadline = find_deadline(invocation, self._deadline_margin, now)
        if deadline <= now and self._deadline_margin >= LARGE_MARGIN:
            warn_once(
                f"AWS_LWA_DEADLINE_MARGIN_SECONDS={self._deadline_margin:g} leaves a"
                " request no time: it has to be shorter than the function's timeout"
            )
        return Call(invocation, deadline, started=now)

    def _decode(self, call: Call) -> Request:
        payload = call.invocation.payload
        # Most functions get events of HTTP APIs and function URLs, which the fast path
        # reads with two scans instead of four.
        event: Event | None = read_fast(payload)
        kind = call.kind = type(event) if event else classify(payload)
        # Set before the event is decoded, since the reply to an event that can't be
        # decoded must have its kind's shape, too.
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
        if call.kind.is_http:
            return await http.send(request, call)
        response = await other.send(request, call)
        call.kind.check_response(request, response)
        return response

    async def _post(self, call: Call, reply: bytes, response: Response) -> None:
        if call.streamed:
            await self._runtime.post_stream(call.invocation, reply, response.body, call)
        else:
            now = self._posted = self._current_time()
            # A response may arrive just before ``call.deadline``. Lambda accepts its
            # reply a little longer than that.
            deadline = max(call.deadline, now + POST_TIMEOUT)
            is_fresh = now - call.started < FRESH
            await self._runtime.post_response(
                call.invocation, reply, deadline, is_fresh=is_fresh
            )

    async def _fail(self, call: Call, failure: InvocationError) -> None:
        """Report the failure: to a client as a response, else as an error."""
        # A Runtime API that does not take the report must not hold up the loop for
        # ever.
        with trio.move_on_after(POST_TIMEOUT) as scope:
            if not (call.kind.is_http and failure.is_for_client):
                await self._runtime.post_error(call.invocation, failure)
            else:
                response = error_response(failure, call.invocation.request_id)
                await self._post(call, encode(call, response), response)
        if scope.cancelled_caught:
            log.error("the failure did not reach Lambda: it was not taken in time")
