"""One of Lambda's APIs at an address, over one connection that is kept open. Shell."""

import math

import trio

from lambda_adapter.address import authority
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.dial import open_connection
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.messages import Response
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.observe.logs import log

MAX_RESPONSE = 65_536
"""Bytes of a response to a POST."""


class Channel:
    """A host and port, and the connection to it.

    ``host`` is both as the value of ``Host``.
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
        """Return whether bytes have come that were not read yet."""
        return self._connection is not None and self._connection.wire.is_readable()

    async def post(self, request: EncodedRequest, timeout: float) -> Response:  # noqa: ASYNC109
        """Send, and return the response if it comes within so many seconds.

        Raises:
            PeerError: there is none.
        """
        try:
            with trio.fail_after(timeout):
                return await self.exchange(request, MAX_RESPONSE)
        except trio.TooSlowError:
            message = f"Lambda did not respond within {timeout:g} s"
            raise PeerError(message, answered=False) from None

    async def exchange(
        self, request: EncodedRequest, max_body: int, deadline: float = math.inf
    ) -> Response:
        """Send over the kept connection; if that turns out to be dead, over a new one.

        Repeating is safe: asking for the next invocation again brings the same one, and
        a reply that had arrived is refused the second time, which is only logged.

        Raises:
            PeerError: there is no response, or it is not HTTP/1.1.
            TooSlowError: the deadline passed.
        """
        connection = self._kept() or await self.connect()
        try:
            return await connection.exchange(request, max_body, deadline)
        except PeerError as error:
            if error.answered or not connection.exchanges:
                raise
            log.info("the connection to Lambda broke, trying another: %s", error)
        connection = await self.connect()
        return await connection.exchange(request, max_body, deadline)

    async def connect(self) -> Connection:
        """Return the kept connection, or a new one if that is spent or closed.

        Raises:
            PeerError: nothing accepts.
        """
        if kept := self._kept():
            return kept
        self.close()
        connection = self._connection = await open_connection(self._address)
        if self._waits_in_kernel:
            connection.wire.wait_in_kernel_first()
        return connection

    def _kept(self) -> Connection | None:
        kept = self._connection
        return kept if kept and kept.reusable and not kept.is_stale() else None


def quote(response: Response) -> str:
    """Return a response for the log: its status, and the beginning of its body."""
    body = response.body[:300] if isinstance(response.body, bytes) else b""
    return f"status {response.status} {body.decode('utf-8', 'replace')}".strip()
