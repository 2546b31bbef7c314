"""An invoke loop's transport at an ASGI application."""

from functools import partial

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.asgi.exchange import HTTPCycle
from lambda_adapter.app.in_process.asgi.host import Application, Host
from lambda_adapter.app.in_process.asgi.scope import make_scope
from lambda_adapter.app.in_process.lambda_context import Function, export_trace
from lambda_adapter.app.in_process.response import (
    CLEAN_UP,
    REASONS,
    STUCK,
    Pieces,
    Progress,
    failure_response,
    too_large,
)
from lambda_adapter.app.in_process.watchdog import Watchdog
from lambda_adapter.errors import AppStuckError
from lambda_adapter.http.messages import Request, Response


class ASGITransport:
    """A ``Transport`` at an application whose coroutines a host runs."""

    _exchange: HTTPCycle | None = None

    def __init__(
        self,
        host: Host,
        app: Application,
        function: Function,
        base_path: str,
        state: dict[str, object] | None,
        watchdog: Watchdog | None = None,
    ) -> None:
        self._host = host
        self._app = app
        self._function = function
        self._base_path = base_path
        self._state = state
        self._watchdog = watchdog

    async def send(self, request: Request, call: Call) -> Response:
        """Call the ASGI application, and return its response once there is one.

        Raises:
            DeadlineError: there was none in time; the application is cancelled.
            ResponseTooLargeError: its body has more bytes than a reply can have.
        """
        export_trace(call.invocation, self._function)
        scope = make_scope(request, call, self._function, self._base_path, self._state)
        self._exchange = exchange = HTTPCycle(self._host, request, call)
        if self._watchdog:
            self._watchdog.watch(call, request)
        start = partial(self._app, scope, exchange.receive, exchange.send)
        exchange.task = self._host.start(start, exchange.ended)
        if not exchange.ready:
            await _wait_ready(exchange, call)
        return _take_response(exchange, call)

    async def finish(self, deadline: float) -> None:
        """Let the application complete its remaining work, until the deadline.

        Raises:
            AppStuckError: it was cancelled, and still runs.
        """
        exchange, self._exchange = self._exchange, None
        if exchange is None or exchange.over:
            return
        if exchange.progress is Progress.COMPLETE:
            exchange.release()
        else:
            exchange.give_up()
        if not exchange.over:
            await _wait_end(exchange, deadline)


async def _wait_ready(exchange: HTTPCycle, call: Call) -> None:
    try:
        with trio.move_on_at(call.deadline):
            while not exchange.ready:
                await exchange.wait_progress()
    except trio.Cancelled:
        # SIGTERM: the loop is gone, but the host still runs the application.
        exchange.cancel()
        raise
    if not exchange.ready:
        exchange.cancel()
        raise call.late()


async def _wait_end(exchange: HTTPCycle, deadline: float) -> None:
    """Wait for the application's end; cancel it at the deadline."""
    was_given_up = exchange.given_up
    try:
        with trio.move_on_at(deadline):
            await _wait_over(exchange)
        if exchange.over:
            return
        if not was_given_up:
            exchange.log_late_work()
        exchange.cancel()
        with trio.move_on_after(CLEAN_UP):
            await _wait_over(exchange)
    except trio.Cancelled:
        exchange.cancel()
        raise
    if not exchange.over:
        what = "the application goes on, although it was cancelled"
        raise AppStuckError(f"{what}; {STUCK}", exchange.subject)


async def _wait_over(exchange: HTTPCycle) -> None:
    while not exchange.over:
        await exchange.wait_progress()


def _take_response(exchange: HTTPCycle, call: Call) -> Response:
    if exchange.progress is Progress.TOO_LARGE:
        raise too_large(call)
    start = exchange.start
    if start is None or exchange.progress is Progress.FAILED:
        return failure_response(call)
    body = (
        Pieces(exchange.next_piece, exchange.give_up_rest)
        if call.streamed
        else exchange.body.take()
    )
    return Response(start.status, REASONS.get(start.status, b""), start.fields, body)
