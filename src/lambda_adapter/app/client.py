"""HTTP to the application: over a kept connection, responses whole or streamed."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from typing import Self

import msgspec
import trio

from lambda_adapter.app.app import Call
from lambda_adapter.errors import (
    AppRequestError,
    InvocationError,
    PeerError,
    ResponseTooLargeError,
)
from lambda_adapter.http.connect import open_connection
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Address, Request, Response
from lambda_adapter.http.parser import BodyTooLargeError


class StreamedBody:
    """The body of a streamed response, and its connection until that is closed.

    ``fail`` makes the error to raise of one that the pieces raise, and ``end`` lets go
    of the connection.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        fail: Callable[[Exception], InvocationError],
        end: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._fail = fail
        self._end = end

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        Raises:
            InvocationError: the body broke off.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self._finish)  # unless there is a piece, it was the last
            try:
                piece = await anext(self._pieces)
            except (PeerError, trio.TooSlowError) as error:
                raise self._fail(error) from error
            stack.pop_all()
            return piece

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._pieces.aclose()
        self._finish()

    def _finish(self) -> None:
        end, self._end = self._end, lambda: None
        end()


IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""

UNUSABLE = "the application gave no usable response"
TOO_LARGE = "the application's response is too large"

LAST_MOMENT = 0.05
"""Seconds: a generous bound between a crashing process closing its sockets and its
exit."""


class HttpTransport:
    """A ``Transport`` at a server with an address.

    Idle connections are used again for ``idle_limit`` seconds. Servers close theirs
    after 5 s (uvicorn, Node.js), and a frozen environment must not meet that half-way:
    https://github.com/aws/aws-lambda-web-adapter/issues/40
    """

    def __init__(
        self,
        address: Address,
        idle_limit: float,
        idle: list[tuple[float, Connection]] | None = None,
        *,
        waits_in_kernel: bool = False,
    ) -> None:
        self._address = address
        self._waits_in_kernel = waits_in_kernel
        self._idle_limit = idle_limit
        self._idle = [] if idle is None else idle
        self._was_dropped = False

    def open_transport(self) -> Self:
        """Return another client that shares the idle connections."""
        return type(self)(
            self._address,
            self._idle_limit,
            self._idle,
            waits_in_kernel=self._waits_in_kernel,
        )

    async def send(self, request: Request, call: Call) -> Response:
        """Send a request, once more if a kept connection turned out to be dead.

        https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2-6: a method that is not
        idempotent is never repeated, because nobody knows how far the first one went.

        Raises:
            AppRequestError: the application gave no usable response.
            ResponseTooLargeError: its response can't fit in a reply.
            DeadlineError: the response was not complete in time.
        """
        exchange = self._exchange_streamed if call.streamed else self._exchange
        encoded = encode_request(request)
        try:
            connection = self._take_idle() or await self._open(call)
            try:
                return await exchange(connection, encoded, call)
            except PeerError as error:
                repeatable = connection.exchanges and request.method in IDEMPOTENT
                if error.answered or not repeatable:
                    raise
            call.sent_again()
            connection = await self._open(call)
            return await exchange(connection, encoded, call)
        except (PeerError, trio.TooSlowError) as error:
            raise self._failed(call, error) from error

    async def _exchange(
        self, connection: Connection, request: EncodedRequest, call: Call
    ) -> Response:
        try:
            return await connection.exchange(request, call.max_body, call.deadline)
        finally:
            self._keep(connection)

    async def _exchange_streamed(
        self, connection: Connection, request: EncodedRequest, call: Call
    ) -> Response:
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            response, pieces = await connection.exchange_head(request, call.deadline)
            stack.pop_all()
            body = StreamedBody(
                pieces,
                functools.partial(self._failed, call),
                functools.partial(self._keep, connection),
            )
            return msgspec.structs.replace(response, body=body)

    def _keep(self, connection: Connection) -> None:
        if connection.reusable:
            self._idle.append((trio.current_time(), connection))
        else:
            connection.close()

    async def _open(self, call: Call) -> Connection:
        with trio.fail_at(call.deadline):
            connection = await open_connection(self._address)
        if self._waits_in_kernel:
            connection.wire.wait_in_kernel_first()
        return connection

    def _take_idle(self) -> Connection | None:
        oldest = trio.current_time() - self._idle_limit
        while self._idle:
            since, connection = self._idle.pop()
            if since > oldest and not connection.is_stale():
                return connection
            connection.close()
        return None

    def _failed(self, call: Call, error: Exception) -> InvocationError:
        if isinstance(error, BodyTooLargeError):
            return ResponseTooLargeError(
                f"the application's response is too large: {error}"
            )
        if isinstance(error, PeerError):
            self._was_dropped = True
            return AppRequestError(f"{UNUSABLE}: {error}")
        return call.late()

    async def finish(self, deadline: float) -> None:
        """After a dropped connection, wait a moment.

        If the application crashed, its exit must be seen before the next event is
        fetched: nobody would respond to that one.
        """
        if self._was_dropped:
            self._was_dropped = False
            await trio.sleep(LAST_MOMENT)

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop()[1].close()
