"""A client that keeps one connection to Lambda open.

A kept connection may have died while Lambda had frozen the environment: the timeouts of
both ends go on meanwhile. So it is checked before it is used again, and a request whose
kept connection breaks before any byte of a response is repeated once over a new one.
"""

import math

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.http.connect import open_connection
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.messages import Response, authority
from lambda_adapter.observe.logs import log

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

        A kept connection that ``is_fresh`` is used without checking first whether it is
        dead.

        Raises:
            PeerError: there was no response, or it is not HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        connection = self._kept(is_fresh=is_fresh) or await self.connect()
        try:
            return await connection.exchange(request, max_body, deadline)
        except PeerError as error:
            if error.answered or not connection.exchanges:
                # A byte of a response has arrived, or the connection was a new one:
                # another would not do better.
                raise
            # Repeating is safe: a second ``/next`` returns the same invocation, and
            # Lambda refuses a second reply, which is only logged.
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
