"""A client of Lambda's Runtime API, over one persistent connection."""

import binascii
import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable
from typing import Protocol

import trio

from lambda_adapter.errors import (
    AdapterError,
    InvocationError,
    PeerError,
    RuntimeApiError,
)
from lambda_adapter.http.connect import open_connection
from lambda_adapter.http.connection import Connection, upload
from lambda_adapter.http.encoding import (
    LAST_CHUNK,
    EncodedRequest,
    encode_chunk,
    encode_last_chunk,
)
from lambda_adapter.http.messages import Fields, Response, Stream, authority
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import api
from lambda_adapter.runtime.api import (
    DELIMITER,
    MAX_EVENT,
    Invocation,
    UnusableResponseError,
    encode_error,
    parse_next,
)

MAX_RESPONSE = 65_536
"""Largest response to a POST, in bytes."""


class PersistentConnection:
    """A client that keeps one connection to a host open.

    ``host`` is the value of its ``Host`` header.
    """

    def __init__(self, host: str, port: int, *, waits_in_kernel: bool = False) -> None:
        self._waits_in_kernel = waits_in_kernel
        self._address = host, port
        self.host = authority(self._address)
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def is_being_answered(self) -> bool:
        """Return whether bytes have arrived that are still unread."""
        return self._connection is not None and self._connection.wire.is_readable()

    async def post(self, request: EncodedRequest, timeout: float) -> Response:  # noqa: ASYNC109
        """Send a request, and return the response if it arrives before the timeout.

        Raises:
            PeerError: there was no response in time.
        """
        try:
            with trio.fail_after(timeout):
                return await self.exchange(request, MAX_RESPONSE)
        except trio.TooSlowError:
            message = f"Lambda did not respond within {timeout:g} s"
            raise PeerError(message, answered=False) from None

    async def exchange(
        self,
        request: EncodedRequest,
        max_body: int,
        deadline: float = math.inf,
        *,
        is_fresh: bool = False,
    ) -> Response:
        """Send over the kept connection; if that turns out to be dead, over a new one.

        Repeating is safe: a second ``/next`` returns the same invocation, and Lambda
        refuses a second reply, which is only logged. So a kept connection that
        ``is_fresh`` is used without checking first whether it is dead.

        Raises:
            PeerError: there was no response, or it is not HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        connection = self._kept(is_fresh=is_fresh) or await self.connect()
        try:
            return await connection.exchange(request, max_body, deadline)
        except PeerError as error:
            if error.answered or not connection.exchanges:
                raise
            log.info("the connection to Lambda broke, trying another: %s", error)
        connection = await self.connect()
        return await connection.exchange(request, max_body, deadline)

    async def connect(self) -> Connection:
        """Return the kept connection, or a new one if that can't be reused.

        Raises:
            PeerError: the connection failed.
        """
        if kept := self._kept():
            return kept
        self.close()
        connection = self._connection = await open_connection(self._address)
        if self._waits_in_kernel:
            connection.wire.wait_in_kernel_first()
        return connection

    def _kept(self, *, is_fresh: bool = False) -> Connection | None:
        kept = self._connection
        if kept and kept.reusable and (is_fresh or not kept.is_stale()):
            return kept
        return None


def describe_response(response: Response) -> str:
    """Describe a response for the log: its status, and the beginning of its body."""
    body = response.body[:300] if isinstance(response.body, bytes) else b""
    return f"status {response.status} {body.decode('utf-8', 'replace')}".strip()


class Named(Protocol):
    """Something that the log can name, such as a ``Call``."""

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the request."""


async def frame(
    prelude: bytes, body: bytes | Stream, about: Named
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a streamed reply: prelude, delimiter, body, and its end.

    A body that fails ends in trailers with the error: its client has had the status.
    """
    yield encode_chunk(prelude + DELIMITER)
    streamed = 0
    try:
        if not isinstance(body, bytes):
            async for piece in body:
                yield encode_chunk(piece)
                streamed += len(piece)
        elif body:
            yield encode_chunk(body)
    except InvocationError as error:
        broken = f"the stream broke off after {streamed:,} bytes"
        log.error("%s", error.line(f"{about.subject}: {broken}"))
        yield encode_last_chunk(error_trailers(error))
    else:
        yield LAST_CHUNK


def error_trailers(error: AdapterError) -> Fields:
    """Return the trailers that report an error after the status was sent."""
    body = binascii.b2a_base64(encode_error(error), newline=False)
    return [
        (b"Lambda-Runtime-Function-Error-Type", error.error_type.encode()),
        (b"Lambda-Runtime-Function-Error-Body", body),
    ]


REPORT_LIMIT = 30.0
"""Seconds that Lambda may take to hear that init or a restore failed."""


class Reporter(PersistentConnection):
    """The part of the Runtime API's client that reports failed starts."""

    async def post_init_error(self, error: AdapterError) -> None:
        """Report that the init failed."""
        await self._report(api.init_error_request(self.host, error), "init")

    async def post_restore_error(self, error: AdapterError) -> None:
        """Report that the restore failed."""
        request = api.restore_error_request(self.host, error)
        await self._report(request, "restore")

    async def _report(self, request: EncodedRequest, phase: str) -> None:
        try:
            response = await self.post(request, REPORT_LIMIT)
        except PeerError as failure:
            log.error("Lambda could not be told of the %s error: %s", phase, failure)
        else:
            if response.status != 202:
                said = describe_response(response)
                log.error("Lambda did not take the %s error: %s", phase, said)


ATTEMPTS = 5
"""How often ``/next`` may fail in a row before the process exits. AWS's runtimes try
five times as well: https://github.com/aws/aws-lambda-python-runtime-interface-client"""

BACK_OFF = 0.1
"""Seconds before the second attempt; they double with each."""


class RuntimeClient(Reporter):
    """A client of Lambda's Runtime API."""

    def __init__(self, host: str, port: int, *, waits_in_kernel: bool = False) -> None:
        super().__init__(host, port, waits_in_kernel=waits_in_kernel)
        self._next = api.next_request(self.host)

    async def next_invocation(self, *, is_fresh: bool = False) -> Invocation:
        """Wait for the next invocation.

        There is no timeout: Lambda freezes the environment during this wait.
        ``is_fresh`` means that the kept connection has just delivered a reply.

        Raises:
            RuntimeApiError: the Runtime API is unreachable, or the environment is lost.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(BACK_OFF * 2 ** (attempt - 1))
            try:
                response = await self.exchange(
                    self._next, MAX_EVENT, is_fresh=is_fresh and not attempt
                )
                _raise_if_lost(response)
                return parse_next(response)
            except (PeerError, UnusableResponseError) as error:
                log.warning("no invocation from Lambda's Runtime API: %s", error)
        raise RuntimeApiError(f"Lambda's Runtime API failed {ATTEMPTS} times in a row")

    async def wait_restored(self) -> None:
        """Let Lambda take its snapshot, and return once it is restored.

        There is no timeout, since days may pass in between. The connection is not
        reused.

        Raises:
            RuntimeApiError: Lambda reported no restore.
        """
        request = api.restore_next_request(self.host)
        try:
            response = await self.exchange(request, MAX_RESPONSE)
        except PeerError as error:
            raise RuntimeApiError(f"Lambda did not restore: {error}") from error
        finally:
            self.close()
        if response.status != 200:
            raise RuntimeApiError(
                f"Lambda did not restore: {describe_response(response)}"
            )

    async def post_response(
        self,
        invocation: Invocation,
        reply: bytes,
        deadline: float = math.inf,
        *,
        is_fresh: bool = False,
    ) -> None:
        """Post the reply. A rejection by Lambda is logged, not raised.

        ``is_fresh``: the event came a moment ago, over the kept connection.

        Raises:
            RuntimeApiError: Lambda says that the environment is lost.
        """
        request = api.response_request(self.host, invocation, reply)
        posted = self.exchange(request, MAX_RESPONSE, deadline, is_fresh=is_fresh)
        await self._deliver("reply", posted)

    async def post_stream(
        self,
        invocation: Invocation,
        prelude: bytes,
        body: bytes | Stream,
        about: Named,
    ) -> None:
        """Stream the reply to Lambda, piece by piece, and close its body.

        The prelude is sent immediately. If the body fails, trailers report that: the
        client has had the status, and sees the response end early.

        Raises:
            RuntimeApiError: Lambda says that the environment is lost.
        """
        try:
            frames = frame(prelude, body, about)
            await self._deliver("stream", self._upload(invocation, frames))
        finally:
            if not isinstance(body, bytes):
                await body.aclose()

    async def post_error(self, invocation: Invocation, error: AdapterError) -> None:
        """Report an invocation as failed. A rejection by Lambda is logged.

        Raises:
            RuntimeApiError: Lambda says that the environment is lost.
        """
        request = api.error_request(self.host, invocation, error)
        await self._deliver("error", self.exchange(request, MAX_RESPONSE))

    async def _deliver(self, what: str, delivery: Awaitable[Response]) -> None:
        """Deliver a reply, an error or a stream. A rejection by Lambda is logged."""
        try:
            response = await delivery
        except PeerError as error:
            log.error("the %s did not reach Lambda: %s", what, error)
            return
        except trio.TooSlowError:
            log.error("the %s did not reach Lambda: it was not taken in time", what)
            return
        _raise_if_lost(response)
        if response.status != 202:
            log.error("Lambda refused the %s: %s", what, describe_response(response))

    async def _upload(
        self, invocation: Invocation, frames: AsyncGenerator[bytes, None]
    ) -> Response:
        request = api.stream_request(self.host, invocation)
        try:
            connection = await self.connect()
            async with contextlib.aclosing(frames):
                return await upload(connection, request, frames, MAX_RESPONSE)
        finally:
            # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html: a
            # runtime closes the connection after a stream.
            self.close()


def _raise_if_lost(response: Response) -> None:
    # "Container error. Non-recoverable state. Runtime should exit promptly":
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    if response.status == 500:
        raise RuntimeApiError(
            f"Lambda says this environment is lost: {describe_response(response)}"
        )
