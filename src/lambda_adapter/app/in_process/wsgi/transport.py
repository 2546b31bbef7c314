"""An invoke loop's transport at a WSGI application."""

import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.lambda_context import Function, export_trace
from lambda_adapter.app.in_process.response import (
    CLEAN_UP,
    STUCK,
    Pieces,
    Progress,
    failure_response,
    too_large,
)
from lambda_adapter.app.in_process.watchdog import Watchdog
from lambda_adapter.app.in_process.wsgi.environ import make_environ
from lambda_adapter.app.in_process.wsgi.exchange import Application
from lambda_adapter.app.in_process.wsgi.responder import Worker, WSGIResponder
from lambda_adapter.errors import AppStuckError
from lambda_adapter.http.messages import Request, Response


class WSGITransport:
    """A ``Transport`` at an application that runs in its own thread, or inline."""

    _responder: WSGIResponder | None = None
    _worker: Worker | None = None

    def __init__(
        self,
        app: Application,
        function: Function,
        base_path: str,
        *,
        multithread: bool,
        inline: bool,
        watchdog: Watchdog | None = None,
    ) -> None:
        self._app = app
        self._function = function
        self._base_path = base_path
        self._multithread = multithread
        self._inline = inline
        self._watchdog = watchdog

    async def send(self, request: Request, call: Call) -> Response:
        """Call the WSGI application, and return its response once there is one.

        Raises:
            DeadlineError: there was none in time; its thread still runs.
            ResponseTooLargeError: its body has more bytes than a reply can have.
        """
        export_trace(call.invocation, self._function)
        environ = make_environ(
            request,
            call,
            self._function,
            self._base_path,
            multithread=self._multithread,
        )
        self._responder = responder = WSGIResponder(self._app, environ, request, call)
        if self._inline and not call.streamed:
            if self._watchdog:
                self._watchdog.watch(call, request)
            responder.run_inline()
        else:
            responder.notify_by(trio.lowlevel.current_trio_token())
            self._thread().submit(responder.run)
            if not (self._multithread or call.streamed):
                responder.wait_a_moment()
            if not responder.ready:
                await _wait_ready(responder, call)
        return _take_response(responder, call)

    def _thread(self) -> Worker:
        if self._worker is None:
            self._worker = Worker("application")
        return self._worker

    async def finish(self, deadline: float) -> None:
        """Let the application clean up, until the deadline.

        Raises:
            AppStuckError: its thread does not return.
        """
        responder, self._responder = self._responder, None
        if responder is None or responder.over:
            return
        responder.release()
        if not responder.is_threaded:
            responder.close_inline()
            return
        if not self._multithread:
            responder.wait_a_moment()
        await _wait_over(responder, deadline)


async def _wait_ready(responder: WSGIResponder, call: Call) -> None:
    with trio.move_on_at(call.deadline):
        await responder.wait(lambda: responder.ready)
    if not responder.ready:
        raise call.late()


async def _wait_over(responder: WSGIResponder, deadline: float) -> None:
    if responder.over:
        return
    with trio.move_on_at(max(deadline, trio.current_time() + CLEAN_UP)):
        await responder.wait(lambda: responder.over)
    if not responder.over:
        what = "the application's thread does not come back"
        raise AppStuckError(f"{what}; {STUCK}", responder.subject)


def _take_response(responder: WSGIResponder, call: Call) -> Response:
    if responder.progress is Progress.TOO_LARGE:
        raise too_large(call)
    head = responder.head
    if head is None or (
        responder.progress is Progress.FAILED
        and not (call.streamed and responder.has_pieces)
    ):
        return failure_response(call)
    body = (
        Pieces(responder.next_piece, responder.give_up_rest)
        if call.streamed
        else responder.take_body()
    )
    return Response(head.status, head.reason, head.fields, body)
