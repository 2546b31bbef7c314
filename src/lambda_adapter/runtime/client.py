"""Lambda's end of the wire: invocations in, replies and errors out. Shell."""

import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable

import trio

from lambda_adapter.errors import AdapterError, RuntimeApiError
from lambda_adapter.http.messages import Response, Stream
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.http.upload import upload
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import requests
from lambda_adapter.runtime.api import (
    MAX_EVENT,
    Invocation,
    UnusableResponseError,
    parse_next,
)
from lambda_adapter.runtime.channel import MAX_RESPONSE, quote
from lambda_adapter.runtime.frames import Named, frame
from lambda_adapter.runtime.reports import Reporter

ATTEMPTS = 5
"""How often ``/next`` may fail in a row before this environment is given up. AWS's own
runtimes try five times: https://github.com/aws/aws-lambda-python-runtime-interface-client"""

BACK_OFF = 0.1
"""Seconds before the second attempt; they double with each."""


class RuntimeClient(Reporter):
    """Lambda's Runtime API."""

    def __init__(self, host: str, port: int, *, waits_in_kernel: bool = False) -> None:
        super().__init__(host, port, waits_in_kernel=waits_in_kernel)
        self._next = requests.next_request(self.host)

    async def next_invocation(self) -> Invocation:
        """Wait for the next invocation, without a limit: the wait is Lambda's freeze.

        Raises:
            RuntimeApiError: Lambda can't be asked, or says that all is lost.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                await trio.sleep(BACK_OFF * 2 ** (attempt - 1))
            try:
                response = await self.exchange(self._next, MAX_EVENT)
                _raise_if_lost(response)
                return parse_next(response)
            except (PeerError, UnusableResponseError) as error:
                log.warning("no invocation from Lambda's Runtime API: %s", error)
        raise RuntimeApiError(f"Lambda's Runtime API failed {ATTEMPTS} times in a row")

    async def wait_restored(self) -> None:
        """Let Lambda take its snapshot, and return once it is restored.

        The wait has no limit: days may lie between. The connection is not used again.

        Raises:
            RuntimeApiError: Lambda does not say that it is.
        """
        request = requests.restore_next_request(self.host)
        try:
            response = await self.exchange(request, MAX_RESPONSE)
        except PeerError as error:
            raise RuntimeApiError(f"Lambda did not restore: {error}") from error
        finally:
            self.close()
        if response.status != 200:
            raise RuntimeApiError(f"Lambda did not restore: {quote(response)}")

    async def post_response(
        self, invocation: Invocation, reply: bytes, deadline: float = math.inf
    ) -> None:
        """Post the reply. A rejection by Lambda is logged, not raised.

        Raises:
            RuntimeApiError: Lambda says that all is lost.
        """
        request = requests.response_request(self.host, invocation, reply)
        await self._deliver("reply", self.exchange(request, MAX_RESPONSE, deadline))

    async def post_stream(
        self,
        invocation: Invocation,
        prelude: bytes,
        body: bytes | Stream,
        about: Named,
    ) -> None:
        """Post the reply piece by piece, as fast as Lambda takes them, and close it.

        The prelude goes out at once. A body that breaks off ends in trailers that say
        so: the client has had its status, and sees the response end early.

        Raises:
            RuntimeApiError: Lambda says that all is lost.
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
            RuntimeApiError: Lambda says that all is lost.
        """
        request = requests.error_request(self.host, invocation, error)
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
            log.error("Lambda refused the %s: %s", what, quote(response))

    async def _upload(
        self, invocation: Invocation, frames: AsyncGenerator[bytes, None]
    ) -> Response:
        request = requests.stream_request(self.host, invocation)
        try:
            connection = await self.connect()
            async with contextlib.aclosing(frames):
                return await upload(connection, request, frames, MAX_RESPONSE)
        finally:
            # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html: a
            # runtime closes the connection that it has streamed over.
            self.close()


def _raise_if_lost(response: Response) -> None:
    # "Container error. Non-recoverable state. Runtime should exit promptly":
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    if response.status == 500:
        raise RuntimeApiError(
            f"Lambda says this environment is lost: {quote(response)}"
        )
