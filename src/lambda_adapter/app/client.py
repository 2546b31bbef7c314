"""The HTTP client for the application: it keeps connections, and may stream responses.

Two rules decide which connection carries a request (``HttpTransport.send``). An idle
connection may be closed by the server at any moment, and then a request on it fails
without a response. A request with an idempotent method is simply sent again. Any other
one must not be, because it may already have had an effect, so it only uses a connection
that has been idle for less than any server's timeout, or a new one; and only a new one
once the server has closed a connection sooner than that.
"""

import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, Self

import msgspec
import trio

from lambda_adapter.app.app import LATE, Call
from lambda_adapter.errors import (
    AppRequestError,
    AppStuckError,
    DeadlineError,
    InvocationError,
    NotListeningError,
    PeerError,
    ResponseTooLargeError,
)
from lambda_adapter.http.connect import CONNECT_INTERVAL, open_connection
from lambda_adapter.http.connection import Connection
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Address, Parts, Request, Response
from lambda_adapter.http.parser import BodyTooLargeError


class StreamedBody:
    """The body of a streamed response, which owns its connection until it is closed.

    ``fail`` converts an error of the pieces to the one to raise, and ``end`` releases
    the connection.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[Parts, None],
        fail: Callable[[Exception], InvocationError],
        end: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._fail = fail
        self._end = end

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Parts:
        """Return the next piece.

        Raises:
            InvocationError: the body ended early.
        """
        # Unless there is a piece, the body has ended, whatever the reason: its end, an
        # error, a cancellation. Then the connection is released here, since nobody
        # closes a body that was read to its end.
        with contextlib.ExitStack() as stack:
            stack.callback(self._finish)
            try:
                piece = await anext(self._pieces)
            except (PeerError, trio.TooSlowError) as error:
                raise self._fail(error) from error
            stack.pop_all()
            return piece

    async def aclose(self) -> None:
        """Release the connection."""
        await self._pieces.aclose()
        self._finish()

    def _finish(self) -> None:
        # Once: at the end of the body, or at ``aclose`` before that.
        end, self._end = self._end, lambda: None
        end()


IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""

UNUSABLE = "the application gave no usable response"
TOO_LARGE = "the application's response is too large"

UNREPEATABLE_IDLE_LIMIT = 0.5
"""Seconds for which a connection may have been idle to carry a request that can't be
repeated. Servers close theirs after 1 s, 2 s (gunicorn) or more, and a frozen
environment may thaw just then. This clock and the servers' are both the monotonic one,
so a freeze counts for both or for neither. The price is small: a new connection on
loopback takes tens of microseconds."""

NOT_LISTENING_ADVICE = (
    "the application does not listen any more, and its own log may say why"
)

Check = Callable[[], Awaitable[None]]
"""A check of the application before the next event is requested."""


class Server(Protocol):
    """The server behind an address, as far as ``HttpTransport`` needs it."""

    def ended(self) -> str | None:
        """Return how its process exited, or None: it runs, or nobody can know."""

    def ask_ahead(self) -> None:
        """Send a probe, because a response is about to be late."""

    async def find_stuck(self, call: Call) -> str | None:
        """After a late response, return why another request would get none, or None."""

    async def wait_recovered(self, call: Call) -> None:
        """After a dropped connection, wait until it has exited, or responds again."""


class Pool:
    """The idle connections to one server, which all invoke loops share."""

    def __init__(self) -> None:
        self.idle: list[tuple[float, Connection]] = []
        """Each with the time since when it is idle, on trio's clock."""
        self.unrepeatable_limit = UNREPEATABLE_IDLE_LIMIT
        """Seconds after which none of them may carry a request that can't be repeated.
        0 once the server has closed one sooner: some close theirs a moment after each
        response, without saying so in its ``Connection``."""


class HttpTransport:
    """A ``Transport`` to a server with an address.

    Idle connections are reused for ``idle_limit`` seconds. Servers close theirs after
    5 s (uvicorn, Node.js), and after a thaw a request must not meet that close:
    https://github.com/aws/aws-lambda-web-adapter/issues/40
    """

    def __init__(
        self,
        address: Address,
        idle_limit: float,
        pool: Pool | None = None,
        *,
        server: Server | None = None,
        waits_in_kernel: bool = False,
    ) -> None:
        self._address = address
        self._waits_in_kernel = waits_in_kernel
        self._idle_limit = idle_limit
        self._pool = pool or Pool()
        self._server = server
        self._check: Check | None = None

    def open_transport(self) -> Self:
        """Return another client that shares the idle connections."""
        return type(self)(
            self._address,
            self._idle_limit,
            self._pool,
            server=self._server,
            waits_in_kernel=self._waits_in_kernel,
        )

    async def send(self, request: Request, call: Call) -> Response:
        """Send a request; repeat it if a kept connection turned out to be dead.

        Raises:
            AppRequestError: the application gave no usable response.
            ResponseTooLargeError: the response is too large for a reply.
            DeadlineError: the response was not complete in time.
        """
        exchange = self._exchange_streamed if call.streamed else self._exchange
        encoded = encode_request(request)
        try:
            idle_limit = self._idle_limit
            # A method that is not idempotent is never repeated, since the first request
            # may have had an effect:
            # https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2-6 So its connection
            # must be one that no server has closed yet.
            if not (repeatable := request.method in IDEMPOTENT):
                idle_limit = min(idle_limit, self._pool.unrepeatable_limit)
            connection = self._take_idle(idle_limit) or await self._open(call)
            try:
                return await exchange(connection, encoded, call)
            except PeerError as error:
                # A connection without an exchange was opened a moment ago. That it
                # broke is about this request, and another one would break, too.
                if error.answered or not connection.exchanges:
                    raise
                if not repeatable:
                    self._pool.unrepeatable_limit = 0
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
        # Closed on every way out of this function but one: the body then owns it.
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
            self._pool.idle.append((connection.wire.current_time(), connection))
        else:
            connection.close()

    async def _open(self, call: Call) -> Connection:
        """Connect; retry while nothing listens, since the server may be restarting.

        Raises:
            PeerError: the connection failed, or the application has exited.
            DeadlineError: nothing listened until the deadline.
        """
        # Not a byte was sent, so that retrying is safe for every method.
        late = LATE
        with trio.move_on_at(call.deadline):
            while True:
                try:
                    connection = await open_connection(self._address)
                except NotListeningError as error:
                    if self._server and (how := self._server.ended()):
                        raise PeerError(f"it {how}", answered=False) from error
                    late = str(error)
                else:
                    if self._waits_in_kernel:
                        connection.wire.wait_in_kernel_first()
                    if self._server:
                        connection.wire.nearly_late = self._server.ask_ahead
                    return connection
                await trio.sleep(CONNECT_INTERVAL)
        failure = self._late(call, late)
        if late != LATE:
            failure.advice = NOT_LISTENING_ADVICE
        raise failure

    def _take_idle(self, limit: float) -> Connection | None:
        """Return the most recently used idle connection that is usable, or None."""
        # The last one in is the likeliest to be alive. Those before it are older, so
        # any that is not usable is closed.
        while self._pool.idle:
            since, connection = self._pool.idle.pop()
            idle = connection.wire.current_time() - since
            is_stale = connection.is_stale()
            if idle < limit and not is_stale:
                return connection
            if idle < UNREPEATABLE_IDLE_LIMIT and is_stale:
                self._pool.unrepeatable_limit = 0
            connection.close()
        return None

    def _failed(self, call: Call, error: Exception) -> InvocationError:
        if isinstance(error, BodyTooLargeError):
            return ResponseTooLargeError(
                f"the application's response is too large: {error}"
            )
        if isinstance(error, PeerError):
            # The failed request may have killed the application, or one of its workers.
            # An exit is seen by another task, perhaps later than this.
            if self._server:
                self._check = functools.partial(self._server.wait_recovered, call)
            return AppRequestError(f"{UNUSABLE}: {error}")
        return self._late(call)

    def _late(self, call: Call, what: str = LATE) -> DeadlineError:
        # A server with one worker still works on the late request. The next one would
        # wait behind it, and be late as well, and so on for ever.
        self._check = functools.partial(self._see_stuck, call)
        return call.late(what)

    async def finish(self, deadline: float) -> None:
        """After a failure, check whether the application can handle another request.

        Raises:
            AppStuckError: it works on the late request and responds to no other, or
                does not listen any more.
        """
        if self._check:
            check, self._check = self._check, None
            await check()

    async def _see_stuck(self, call: Call) -> None:
        if self._server and (reason := await self._server.find_stuck(call)):
            raise AppStuckError(reason, call.subject)

    def close(self) -> None:
        """Close every idle connection."""
        while self._pool.idle:
            self._pool.idle.pop()[1].close()
