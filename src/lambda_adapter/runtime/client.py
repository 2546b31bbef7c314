"""A client of Lambda's Runtime API, over one persistent connection.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING

import trio

from lambda_adapter.errors import AdapterError, PeerError, RuntimeApiError
from lambda_adapter.http.connection import upload
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.messages import Parts, Response, Stream
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import api
from lambda_adapter.runtime.api import (
    MAX_EVENT,
    Invocation,
    UnusableResponseError,
    parse_next,
)
from lambda_adapter.runtime.persistent_connection import (
    MAX_RESPONSE,
    PersistentConnection,
    describe_response,
)

if TYPE_CHECKING:
    from lambda_adapter.runtime.streamed_reply import Named

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
            log.error("the %s error did not reach Lambda: %s", phase, failure)
        else:
            if response.status != 202:
                said = describe_response(response)
                log.error("Lambda refused the %s error: %s", phase, said)


ATTEMPTS = 5
"""How often ``/next`` may fail in a row before the process exits. AWS's runtimes try
five times as well: https://github.com/aws/aws-lambda-python-runtime-interface-client"""

BACK_OFF = 0.1
"""Seconds before the second attempt; they double with each."""


class RuntimeClient(Reporter):
    """A client of Lambda's Runtime API. ``advice`` is for one that can't be reached."""

    def __init__(
        self, host: str, port: int, *, waits_in_kernel: bool = False, advice: str = ""
    ) -> None:
        super().__init__(host, port, waits_in_kernel=waits_in_kernel)
        self._next = api.next_request(self.host)
        self._advice = advice

    async def next_invocation(self, *, is_fresh: bool = False) -> Invocation:
        """Wait for the next invocation.

        There is no timeout: Lambda freezes the environment during this wait.
        ``is_fresh`` means that the kept connection has just delivered a reply.

        Raises:
            RuntimeApiError: the Runtime API is unreachable, or the environment is lost.
        """
        reason: AdapterError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(BACK_OFF * 2 ** (attempt - 1))
            try:
                # Freshness was about the first attempt: it has just failed.
                response = await self.exchange(
                    self._next, MAX_EVENT, is_fresh=is_fresh and not attempt
                )
                # Before parsing, which would call it unusable and try again.
                _raise_if_lost(response)
                return parse_next(response)
            except (PeerError, UnusableResponseError) as error:
                log.warning("no invocation from Lambda's Runtime API: %s", error)
                reason = error
        failure = RuntimeApiError(
            f"Lambda's Runtime API failed {ATTEMPTS} times in a row: {reason}"
        )
        failure.advice = self._advice
        raise failure

    async def wait_restored(self) -> None:
        """Let Lambda take its snapshot, and return once it is restored.

        There is no timeout, since days may pass in between.

        Raises:
            RuntimeApiError: Lambda reported no restore.
        """
        # The connection is closed afterwards: its other end belongs to the environment
        # in which the snapshot was taken.
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
        about: "Named",
    ) -> None:
        """Stream the reply to Lambda, piece by piece, and close its body.

        The prelude is sent immediately. If the body fails, trailers report that: the
        client has had the status, and sees the response end early.

        Raises:
            RuntimeApiError: Lambda says that the environment is lost.
        """
        # Imported only here: most functions never stream, and each module costs a cold
        # start 0.36 million instructions.
        from lambda_adapter.runtime.streamed_reply import encode_stream

        try:
            frames = encode_stream(prelude, body, about)
            delivery = self._upload(invocation, frames)
            await self._deliver("stream", delivery, "; its client may be gone")
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

    async def _deliver(
        self, what: str, delivery: Awaitable[Response], advice: str = ""
    ) -> None:
        """Deliver a reply, an error or a stream. A rejection by Lambda is logged."""
        try:
            response = await delivery
        except PeerError as error:
            log.error("the %s did not reach Lambda: %s%s", what, error, advice)
            return
        except trio.TooSlowError:
            log.error("the %s did not reach Lambda: it was not taken in time", what)
            return
        _raise_if_lost(response)
        if response.status != 202:
            log.error("Lambda refused the %s: %s", what, describe_response(response))

    async def _upload(
        self, invocation: Invocation, frames: AsyncGenerator[Parts, None]
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
