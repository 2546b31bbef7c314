"""An invoke loop's seat at a WSGI application. Shell."""

from typing import Self

import trio

from lambda_adapter.apps.app import Turn
from lambda_adapter.apps.failures import CLEAN_UP, STUCK, failure_response
from lambda_adapter.apps.wsgi.call import Call
from lambda_adapter.apps.wsgi.environ import make_environ
from lambda_adapter.apps.wsgi.exchange import Application
from lambda_adapter.apps.wsgi.worker import Worker
from lambda_adapter.errors import AppStuckError, ResponseTooLargeError
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.lambda_context import Function


class WsgiSeat:
    """A ``Seat`` at an application with a thread of its own."""

    _call: Call | None = None
    _worker: Worker | None = None

    def __init__(
        self,
        app: Application,
        function: Function,
        base_path: str,
        *,
        multithread: bool,
        inline: bool,
    ) -> None:
        self._app = app
        self._function = function
        self._base_path = base_path
        self._multithread = multithread
        self._inline = inline

    async def send(self, request: Request, turn: Turn) -> Response:
        """Call the application, and return its response once there is one.

        Raises:
            DeadlineError: there was none in time; its thread goes on.
            ResponseTooLargeError: its body has more bytes than a reply can have.
        """
        environ = make_environ(
            request,
            turn,
            self._function,
            self._base_path,
            multithread=self._multithread,
        )
        self._call = call = Call(
            self._app, environ, streamed=turn.streamed, max_body=turn.max_body
        )
        if self._inline and not turn.streamed:
            call.run_inline()
        else:
            call.notify_by(trio.lowlevel.current_trio_token())
            self._thread().submit(call.run)
            if not (self._multithread or turn.streamed):
                call.wait_a_moment()
            if not call.ready:
                await _wait_ready(call, turn)
        return _response(call, turn)

    def _thread(self) -> Worker:
        if self._worker is None:
            self._worker = Worker("application")
        return self._worker

    async def finish(self, deadline: float) -> None:
        """Have the application clean up, until the deadline.

        Raises:
            AppStuckError: its thread does not come back.
        """
        call, self._call = self._call, None
        if call is None or call.over:
            return
        call.release()
        if not call.is_threaded:
            call.close()
            return
        if not self._multithread:
            call.wait_a_moment()
        await _wait_over(call, deadline)


async def _wait_ready(call: Call, turn: Turn) -> None:
    with trio.move_on_at(turn.deadline):
        await call.wait(lambda: call.ready)
    if not call.ready:
        raise turn.late()


async def _wait_over(call: Call, deadline: float) -> None:
    if call.over:
        return
    with trio.move_on_at(max(deadline, trio.current_time() + CLEAN_UP)):
        await call.wait(lambda: call.over)
    if not call.over:
        log.error("the application's thread does not come back")
        raise AppStuckError(STUCK)


def _response(call: Call, turn: Turn) -> Response:
    if call.too_large:
        raise ResponseTooLargeError("the application's response is too large")
    head = call.head
    if head is None or (call.failed and not (turn.streamed and call.has_pieces)):
        return failure_response(turn)
    body = _Body(call, turn.deadline) if turn.streamed else call.take_body()
    return Response(head.status, head.reason, head.fields, body)


class _Body:
    """A streamed body; whoever lets go of it gives the response up."""

    def __init__(self, call: Call, deadline: float) -> None:
        self._call = call
        self._deadline = deadline

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._call.next_piece(self._deadline)
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        if not self._call.ended:
            self._call.release()
