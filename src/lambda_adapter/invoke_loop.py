"""The way of an invocation: next, decode, send, encode, post. Shell."""

import contextlib
import math
import time
from collections.abc import AsyncGenerator

import msgspec
import trio

from lambda_adapter import events
from lambda_adapter.app_client import App
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AppStatusError,
    DeadlineError,
    FatalError,
    InternalError,
    InvocationError,
    PeerError,
    ResponseTooLargeError,
)
from lambda_adapter.events.event import Event, error_response
from lambda_adapter.events.fields import Context
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.lambda_context import encode_lambda_context
from lambda_adapter.logs import about, log
from lambda_adapter.messages import Response, Stream
from lambda_adapter.rewrite import rewrite
from lambda_adapter.runtime_api import Invocation
from lambda_adapter.runtime_client import RuntimeClient

LONGEST = 900.0
"""Seconds that an invocation can last, whatever its deadline says:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

MAX_REPORTED_BODY = 8_192
"""Bytes of a body that an error reports. As JSON they are at most six times as many,
and so within an error's own limit."""

NEARLY = 0.95
"""Part of a limit at which the log begins to warn of it."""

LAST_MOMENT = 0.05
"""Seconds from a process's last closed connection to its end, and plenty of them."""


class InvokeLoop:
    """Takes invocations to an application, one after the other."""

    def __init__(
        self,
        runtime: RuntimeClient,
        app: App,
        env_config: msgspec.Raw,
        config: Config,
        ready: trio.Event,
    ) -> None:
        self._runtime = runtime
        self._app = app
        self._env_config = env_config
        self._config = config
        self._ready = ready

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            FatalError: there is nothing left to serve.
        """
        while True:
            invocation = await self._runtime.next_invocation()
            deadline = trio.current_time() + self._seconds_left(invocation)
            await self.answer(invocation, deadline)
            await self._app.finish(deadline)

    async def answer(self, invocation: Invocation, deadline: float) -> None:
        """Answer one invocation, by a reply or by an error.

        What is not done by the deadline, which is one of trio's clock, is given up.

        Raises:
            FatalError: there is nothing left to serve.
        """
        kind: type[Event] = PassThroughEvent
        try:
            kind = events.classify(invocation.payload)
            event = kind.decode(invocation.payload)
            request = event.request(self._context(invocation))
            if kind.is_http:
                request = rewrite(request, self._config)
            with trio.fail_at(deadline):
                if not self._ready.is_set():  # with AWS_LWA_ASYNC_INIT
                    await self._ready.wait()
                response = await self._app.send(request, streamed=self._streams(kind))
            async with _closing(response):
                if response.status in (self._config.error_status_codes or ()):
                    raise await _status_error(response, deadline)
                if kind.is_http and self._config.enable_compression:
                    from lambda_adapter.compression import compress

                    response = compress(request, response)
                await self._post(invocation, kind, response, deadline)
        except FatalError:
            raise
        except Exception as error:
            failure = _as_invocation_error(error, invocation)
            await self._fail(invocation, kind, failure)

    async def _post(
        self,
        invocation: Invocation,
        kind: type[Event],
        response: Response,
        deadline: float,
    ) -> None:
        if self._streams(kind):
            prelude = kind.encode_prelude(response)
            _warn_of_fields(invocation, kind, response, len(prelude))
            body = _until(deadline, response.body)
            failure = await self._runtime.post_stream(invocation, prelude, body)
            await _see_its_end(failure)
        else:
            reply = _within_limit(kind.encode_response(response), kind)
            _warn_of_fields(invocation, kind, response, len(reply))
            await self._runtime.post_response(invocation, reply)

    async def _fail(
        self, invocation: Invocation, kind: type[Event], failure: InvocationError
    ) -> None:
        """Tell whoever waits: an HTTP client by an answer, any other by an error."""
        if kind.is_http and failure.is_answerable:
            answer = error_response(failure, invocation.request_id)
            await self._post(invocation, kind, answer, math.inf)
        else:
            await self._runtime.post_error(invocation, failure)
        await _see_its_end(failure)

    def _seconds_left(self, invocation: Invocation) -> float:
        """Return the time for the application; a deadline that makes no sense is none.

        It is given up a margin earlier, so that the client is still told, and Lambda
        does not end the whole environment.
        """
        left = invocation.deadline_ms / 1000 - time.time()
        margin = self._config.deadline_margin
        return max(left - margin, 0) if 0 < left < LONGEST else LONGEST

    def _streams(self, kind: type[Event]) -> bool:
        return kind.streams and self._config.invoke_mode == "response_stream"

    def _context(self, invocation: Invocation) -> Context:
        return Context(
            encode_lambda_context(invocation, self._env_config),
            invocation.trace_id.encode("latin-1"),
            invocation.tenant_id.encode("latin-1"),
            self._config.pass_through_path.encode(),
        )


def _warn_of_fields(
    invocation: Invocation, kind: type[Event], response: Response, size: int
) -> None:
    """Say so if a gateway is about to refuse an answer for its fields.

    They are within the ``size`` bytes of JSON, so a small one needs no counting.
    """
    if size < kind.max_fields * NEARLY:
        return
    fields = sum(len(name) + len(value) for name, value in response.fields)
    if fields >= kind.max_fields * NEARLY:
        log.warning(
            "the answer's header fields take %d bytes; over %d, the gateway answers"
            " 5xx in its place",
            fields,
            kind.max_fields,
            extra=about(invocation.request_id),
        )


async def _see_its_end(failure: InvocationError | None) -> None:
    """Give an application that hung up the time to end, if that is what it does.

    Then its end is seen before the next event is taken, which nobody would answer.
    """
    if failure and isinstance(failure.__cause__, PeerError):
        await trio.sleep(LAST_MOMENT)


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


async def _status_error(response: Response, deadline: float) -> AppStatusError:
    """Return the error that a response means, with the beginning of its body."""
    body = b""
    async with contextlib.aclosing(_until(deadline, response.body)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) >= MAX_REPORTED_BODY:
                break
    text = body[:MAX_REPORTED_BODY].decode("utf-8", "replace")
    report = msgspec.json.encode({"statusCode": response.status, "body": text})
    return AppStatusError(response.status, report.decode())


def _within_limit(reply: bytes, kind: type[Event]) -> bytes:
    if len(reply) > kind.max_reply:
        raise ResponseTooLargeError(
            f"the reply is {len(reply):,} bytes long, and {kind.max_reply:,} is all"
            " that can be returned"
        )
    return reply


def _as_invocation_error(error: Exception, invocation: Invocation) -> InvocationError:
    """Log a failure, and return it as one of this invocation's.

    This is the one place where a fault of the adapter is caught: it costs an
    invocation, not the environment.
    """
    if isinstance(error, trio.TooSlowError):
        error = DeadlineError("the application did not answer before Lambda's deadline")
    if isinstance(error, InvocationError):
        log.error("%s: %s", error.error_type, error, extra=about(invocation.request_id))
        return error
    failure = InternalError(f"a fault of the adapter: {type(error).__name__}: {error}")
    log.error("%s", failure, extra=about(invocation.request_id), exc_info=error)
    return failure
