"""Lambda's end of the wire: invocations in, replies and errors out. Shell."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable

import trio

from lambda_adapter.errors import (
    AdapterError,
    InvocationError,
    PeerError,
    RuntimeApiError,
)
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.dial import open_connection
from lambda_adapter.http.http1 import LAST_CHUNK, encode_chunk, encode_last_chunk
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import api as runtime_api
from lambda_adapter.runtime.api import Invocation, UnusableAnswerError

ATTEMPTS = 5
"""How often ``/next`` may fail in a row before this environment is given up. AWS's own
runtimes try five times: https://github.com/aws/aws-lambda-python-runtime-interface-client"""

BACK_OFF = 0.1
"""Seconds before the second attempt; they double with each."""

REPORT_LIMIT = 30.0
"""Seconds that Lambda may take to hear that init or a restore failed."""

REGISTER_LIMIT = 2.0
"""Seconds that Lambda may take to register an extension: init waits for it, and has 10:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""

MAX_ANSWER = 65_536
"""Bytes of an answer to a POST."""


class RuntimeClient:
    """Lambda's Runtime API at ``host:port``, over one connection kept open."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._host = f"{host}:{port}".encode()
        self._connection: Connection | None = None

    async def next_invocation(self) -> Invocation:
        """Wait for the next invocation, without a limit: the wait is Lambda's freeze.

        Raises:
            RuntimeApiError: Lambda can't be asked, or says that all is lost.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(BACK_OFF * 2 ** (attempt - 1))
            try:
                request = runtime_api.next_request(self._host)
                response = await self._exchange(request, runtime_api.MAX_EVENT)
                _raise_if_lost(response)
                return runtime_api.parse_next(response)
            except (PeerError, UnusableAnswerError) as error:
                log.warning("no invocation from Lambda's Runtime API: %s", error)
        raise RuntimeApiError(f"Lambda's Runtime API failed {ATTEMPTS} times in a row")

    async def wait_restored(self) -> None:
        """Let Lambda take its snapshot, and return once it is restored.

        The wait has no limit: days may lie between. The connection is not used again.

        Raises:
            RuntimeApiError: Lambda does not say that it is.
        """
        request = runtime_api.restore_next_request(self._host)
        try:
            response = await self._exchange(request, MAX_ANSWER)
        except PeerError as error:
            raise RuntimeApiError(f"Lambda did not restore: {error}") from error
        finally:
            self.close()
        if response.status != 200:
            raise RuntimeApiError(f"Lambda did not restore: {_quote(response)}")

    async def post_response(self, invocation: Invocation, reply: bytes) -> None:
        """Answer an invocation. If Lambda refuses, that is logged and done with.

        Lambda may take its time; the limit is the caller's.

        Raises:
            RuntimeApiError: Lambda says that all is lost.
        """
        request = runtime_api.response_request(self._host, invocation, reply)
        await self._deliver("reply", self._exchange(request, MAX_ANSWER))

    async def post_stream(
        self,
        invocation: Invocation,
        prelude: bytes,
        body: AsyncGenerator[bytes, None],
    ) -> None:
        """Answer an invocation piece by piece, as fast as Lambda takes them.

        The prelude goes out at once. A body that breaks off ends in trailers that say
        so: the client has had its status, and sees the answer end early.

        Raises:
            RuntimeApiError: Lambda says that all is lost.
        """
        frames = _frames(prelude, body)
        await self._deliver("stream", self._upload(invocation, frames))

    async def post_error(self, invocation: Invocation, error: AdapterError) -> None:
        """Report an invocation as failed. If Lambda refuses, that is logged.

        The limit is the caller's.

        Raises:
            RuntimeApiError: Lambda says that all is lost.
        """
        request = runtime_api.error_request(self._host, invocation, error)
        await self._deliver("error", self._exchange(request, MAX_ANSWER))

    async def post_init_error(self, error: AdapterError) -> None:
        """Report that the application never came up."""
        await self._report(runtime_api.init_error_request(self._host, error), "init")

    async def post_restore_error(self, error: AdapterError) -> None:
        """Report that the application did not survive a snapshot."""
        request = runtime_api.restore_error_request(self._host, error)
        await self._report(request, "restore")

    async def _report(self, request: Request, phase: str) -> None:
        try:
            response = await self._post(request, REPORT_LIMIT)
        except PeerError as failure:
            log.error("Lambda could not be told of the %s error: %s", phase, failure)
        else:
            if response.status != 202:
                quote = _quote(response)
                log.error("Lambda did not take the %s error: %s", phase, quote)

    async def run_extension(self, name: str, registered: trio.Event) -> None:
        """Register as an extension, so that Lambda sends SIGTERM; then never return.

        This takes a client of its own, because it keeps its connection waiting.

        The registration counts once the next event is asked for; none was subscribed
        to, so none comes. It has to be ``registered`` before the first ``/next``, which
        ends the init. If Lambda refuses, that is logged, and all else works.
        """
        try:
            request = runtime_api.register_request(self._host, name)
            response = await self._post(request, REGISTER_LIMIT)
            fields = {key.lower(): value for key, value in response.fields}
            extension_id = fields.get(b"lambda-extension-identifier", b"")
            if response.status != 200 or not extension_id:
                raise UnusableAnswerError(_quote(response))
            following = runtime_api.event_next_request(self._host, extension_id)
            registered.set()
            response = await self._exchange(following, MAX_ANSWER)
            raise UnusableAnswerError(_quote(response))
        except (PeerError, UnusableAnswerError) as error:
            log.warning(
                "Lambda will not send SIGTERM before it ends this environment, because"
                " registering the extension %s failed: %s",
                name,
                error,
            )
        finally:
            registered.set()
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    async def _deliver(self, what: str, delivery: Awaitable[Response]) -> None:
        """Deliver a reply, an error or a stream. A rejection by Lambda is logged."""
        try:
            response = await delivery
        except PeerError as error:
            log.error("the %s did not reach Lambda: %s", what, error)
            return
        _raise_if_lost(response)
        if response.status != 202:
            log.error("Lambda refused the %s: %s", what, _quote(response))

    async def _upload(
        self, invocation: Invocation, frames: AsyncGenerator[bytes, None]
    ) -> Response:
        request = runtime_api.stream_request(self._host, invocation)
        try:
            connection = await self._connect()
            async with contextlib.aclosing(frames):
                return await connection.upload(request, frames, MAX_ANSWER)
        finally:
            # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html: a
            # runtime closes the connection that it has streamed over.
            self.close()

    async def _post(self, request: Request, limit: float) -> Response:
        with trio.move_on_after(limit):
            return await self._exchange(request, MAX_ANSWER)
        message = f"Lambda did not answer within {limit:g} s"
        raise PeerError(message, answered=False)

    async def _exchange(self, request: Request, max_body: int) -> Response:
        """Send over the kept connection; if that turns out to be dead, over a new one.

        Repeating is safe: asking for the next invocation again brings the same one, and
        an answer that had arrived is refused the second time, which is only logged.
        """
        connection = await self._connect()
        try:
            return await connection.exchange(request, max_body)
        except PeerError as error:
            if error.answered or not connection.exchanges:
                raise
            log.info("the connection to Lambda broke, trying another: %s", error)
        connection = await self._connect()
        return await connection.exchange(request, max_body)

    async def _connect(self) -> Connection:
        """Return the kept connection, unless it is spent or closed, or a new one."""
        kept = self._connection
        if kept and (not kept.reusable or kept.is_stale()):
            self.close()
        if not self._connection:
            self._connection = await open_connection(self._address)
        return self._connection


async def _frames(
    prelude: bytes, body: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    yield encode_chunk(prelude + runtime_api.DELIMITER)
    try:
        async with contextlib.aclosing(body):
            async for piece in body:
                yield encode_chunk(piece)
    except InvocationError as error:
        log.error("%s: the stream broke off: %s", error.error_type, error)
        yield encode_last_chunk(runtime_api.error_trailers(error))
    else:
        yield LAST_CHUNK


def _raise_if_lost(response: Response) -> None:
    # "Container error. Non-recoverable state. Runtime should exit promptly":
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    if response.status == 500:
        raise RuntimeApiError(
            f"Lambda says this environment is lost: {_quote(response)}"
        )


def _quote(response: Response) -> str:
    body = response.body[:300] if isinstance(response.body, bytes) else b""
    return f"status {response.status} {body.decode('utf-8', 'replace')}".strip()
