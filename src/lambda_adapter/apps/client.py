"""The application behind its port or its socket: a ``Seat`` at it.

Connections are kept and used again, the youngest first. What may have gone stale is
looked at before it is trusted, and a request is repeated only where that is safe.

Shell.
"""

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from typing import Self

import msgspec
import trio

from lambda_adapter.errors import (
    AppRequestError,
    InvocationError,
    PeerError,
    ResponseTooLargeError,
)
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.dial import open_connection
from lambda_adapter.http.http1 import BodyTooLargeError
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.values import Address

IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""


LAST_MOMENT = 0.05
"""Seconds: a generous bound between a crashing process closing its sockets and its
exit."""


class AppClient:
    """A ``Seat`` at a server with an address.

    Idle connections are used again for ``idle_limit`` seconds. Servers close theirs
    after 5 s (uvicorn, Node.js), and a frozen environment must not meet that half-way:
    https://github.com/aws/aws-lambda-web-adapter/issues/40
    """

    def __init__(
        self,
        address: Address,
        idle_limit: float,
        idle: list[tuple[float, Connection]] | None = None,
    ) -> None:
        self._address = address
        self._idle_limit = idle_limit
        self._idle = [] if idle is None else idle
        self._was_dropped = False

    def open_seat(self) -> Self:
        """Return another client that shares the idle connections."""
        return type(self)(self._address, self._idle_limit, self._idle)

    async def send(self, request: Request, *, streamed: bool = False) -> Response:
        """Send a request, once more if a kept connection turned out to be dead.

        https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2-6: a method that is not
        idempotent is never repeated, because nobody knows how far the first one went.

        Raises:
            AppRequestError: the application gave no usable answer.
            ResponseTooLargeError: its answer can't fit in a reply.
        """
        exchange = self._exchange_streamed if streamed else self._exchange
        connection = self._take_idle() or await self._open(request)
        try:
            return await exchange(connection, request)
        except PeerError as error:
            repeatable = connection.exchanges and request.method in IDEMPOTENT
            if error.answered or not repeatable:
                raise self._failed(request, error) from error
        connection = await self._open(request)
        try:
            return await exchange(connection, request)
        except PeerError as error:
            raise self._failed(request, error) from error

    async def _exchange(self, connection: Connection, request: Request) -> Response:
        try:
            return await connection.exchange(request, MAX_REPLY)
        finally:
            self._keep(connection)

    async def _exchange_streamed(
        self, connection: Connection, request: Request
    ) -> Response:
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            response, pieces = await connection.exchange_head(request)
            stack.pop_all()
            body = _Body(
                pieces,
                functools.partial(self._failed, request),
                functools.partial(self._keep, connection),
            )
            return msgspec.structs.replace(response, body=body)

    def _keep(self, connection: Connection) -> None:
        if connection.reusable:
            self._idle.append((trio.current_time(), connection))
        else:
            connection.close()

    async def _open(self, request: Request) -> Connection:
        try:
            return await open_connection(self._address)
        except PeerError as error:
            raise self._failed(request, error) from error

    def _take_idle(self) -> Connection | None:
        oldest = trio.current_time() - self._idle_limit
        while self._idle:
            since, connection = self._idle.pop()
            if since > oldest and not connection.is_stale():
                return connection
            connection.close()
        return None

    def _failed(
        self, request: Request, error: PeerError
    ) -> AppRequestError | ResponseTooLargeError:
        self._was_dropped = True
        return _request_error(request, error)

    async def finish(self, deadline: float) -> None:
        """After a dropped connection, wait a moment.

        If the application crashed, its exit must be seen before the next event is
        fetched: nobody would answer that one.
        """
        if self._was_dropped:
            self._was_dropped = False
            await trio.sleep(LAST_MOMENT)

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop()[1].close()


class _Body:
    """The body of a streamed response, and its connection until that is closed."""

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        fail: Callable[[PeerError], InvocationError],
        end: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._fail = fail
        self._end = end

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        with contextlib.ExitStack() as stack:
            stack.callback(self._finish)  # unless there is a piece, it was the last
            try:
                piece = await anext(self._pieces)
            except PeerError as error:
                raise self._fail(error) from error
            stack.pop_all()
            return piece

    async def aclose(self) -> None:
        await self._pieces.aclose()
        self._finish()

    def _finish(self) -> None:
        end, self._end = self._end, lambda: None
        end()


def _request_error(
    request: Request, error: PeerError
) -> AppRequestError | ResponseTooLargeError:
    """Say what failed, without the query, which may hold secrets."""
    path = request.target.partition(b"?")[0]
    what = f"{request.method.decode()} {path.decode('latin-1')}: {error}"
    if isinstance(error, BodyTooLargeError):
        return ResponseTooLargeError(f"the application answered too much to {what}")
    advice = "the application's own log may say why"
    return AppRequestError(f"the application failed to answer {what}; {advice}")
