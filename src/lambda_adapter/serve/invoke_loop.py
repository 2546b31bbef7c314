"""The way of an invocation: next, decode, send, encode, post. Shell."""

import contextlib

import msgspec
import trio

from lambda_adapter import events
from lambda_adapter.address import authority
from lambda_adapter.apps.app import Turn
from lambda_adapter.apps.seats import Seats
from lambda_adapter.config import Config
from lambda_adapter.errors import FatalError, InvocationError
from lambda_adapter.events.context import Context
from lambda_adapter.events.event import Event, error_response
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.usual import read_usual
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.logs import log, request_id
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_lambda_context
from lambda_adapter.serve.deadline import find_deadline
from lambda_adapter.serve.failure import as_invocation_error
from lambda_adapter.serve.reply import encode

POST_TIMEOUT = 5.0
"""Seconds that Lambda has to accept a reply, at the least. It takes milliseconds, and
has until the deadline if that is later."""


class InvokeLoop:
    """Takes invocations to an application, one after the other."""

    _is_idle = False
    """Whether the loop waits for an event."""
    _stops = False

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
        self._streams = config.invoke_mode == "response_stream"
        self._deadline_margin = config.deadline_margin
        self._pass_through_path = config.pass_through_path.encode()
        self._host = authority(config.app_address)
        self._life = trio.CancelScope()

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
        turn = await self._next()
        try:
            request = self._decode(turn)
            response = await self._send(turn, request)
            reply = encode(turn, response)
            await self._post(turn, reply, response)
        except FatalError:
            raise
        except Exception as error:
            await self._fail(turn, as_invocation_error(error, turn.subject))
        await self._seats.http.finish(turn.deadline)
        request_id.set("")

    async def _next(self) -> Turn:
        self._is_idle = True
        invocation = await self._runtime.next_invocation()
        self._is_idle = False
        request_id.set(invocation.request_id)
        now = trio.current_time()
        deadline = find_deadline(invocation, self._deadline_margin, now)
        return Turn(invocation, deadline, started=now)

    def _decode(self, turn: Turn) -> Request:
        payload = turn.invocation.payload
        event: Event | None = read_usual(payload)
        kind = turn.kind = type(event) if event else events.classify(payload)
        turn.streamed = kind.streams and self._streams
        turn.max_body = kind.max_reply
        event = turn.event = event or kind.decode(payload)
        request = turn.request = event.request(self._context(turn.invocation))
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

    async def _send(self, turn: Turn, request: Request) -> Response:
        response = await self._seats.of(turn.kind).send(request, turn)
        turn.kind.check_response(request, response)
        return response

    async def _post(self, turn: Turn, reply: bytes, response: Response) -> None:
        if turn.streamed:
            await self._runtime.post_stream(turn.invocation, reply, response.body, turn)
        else:
            deadline = max(turn.deadline, trio.current_time() + POST_TIMEOUT)
            await self._runtime.post_response(turn.invocation, reply, deadline)

    async def _fail(self, turn: Turn, failure: InvocationError) -> None:
        """Report the failure: as a response to a client, else as an error."""
        with trio.move_on_after(POST_TIMEOUT) as scope:
            if not (issubclass(turn.kind, HttpEvent) and failure.is_for_client):
                await self._runtime.post_error(turn.invocation, failure)
            else:
                response = error_response(failure, turn.invocation.request_id)
                await self._post(turn, encode(turn, response), response)
        if scope.cancelled_caught:
            log.error("the failure did not reach Lambda: it was not taken in time")
