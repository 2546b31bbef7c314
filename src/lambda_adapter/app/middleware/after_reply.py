"""AWS_LWA_AFTER_REPLY_PATH: let the application work after its reply.

Lambda freezes the environment when the next event is requested, and the adapter can't
see whether a process still works. So the application announces work by a header of its
response, and then gets a second request, which it answers when the work is done. This
needs no library, and the work can't be cut off by the freeze.
"""

import msgspec
import trio

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.errors import AppRequestError, InvocationError
from lambda_adapter.events.headers import (
    LAMBDA_CONTEXT,
    REQUEST_CONTEXT,
    REQUEST_ID,
    TENANT_ID,
    TRACE_ID,
)
from lambda_adapter.http.messages import Field, Request, Response
from lambda_adapter.observe.logs import log

AFTER_REPLY = b"x-lwa-after-reply"
"""In a response, it announces work; the request for the work has the same value."""

UNDONE = "the work after the reply was not done"

_CONTEXT = frozenset({LAMBDA_CONTEXT, REQUEST_ID, TENANT_ID, TRACE_ID, b"traceparent"})
"""Headers that the second request copies from the first."""


class AfterReply(Middleware):
    """Sends the second request after the reply, and waits for its response."""

    def __init__(self, transport: Transport, path: str) -> None:
        super().__init__(transport)
        self._path = path.encode()
        self._left: tuple[Request, Call] | None = None

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and note the work that the response announces."""
        self._left = None
        response = await self._transport.send(request, call)
        asked = [field for field in response.fields if _asks_for_work(field)]
        if not asked:
            return response
        self._left = self._second(request, asked[0][1]), call
        fields = [field for field in response.fields if not _asks_for_work(field)]
        return msgspec.structs.replace(response, fields=fields)

    def _second(self, first: Request, said: bytes) -> Request:
        """Return the request for the work, which no client could have sent."""
        host = next(field for field in first.fields if field[0] == b"host")
        context = [field for field in first.fields if field[0].lower() in _CONTEXT]
        fields = [
            host,
            (b"content-length", b"0"),
            (AFTER_REPLY, said),
            (REQUEST_CONTEXT, b"null"),
            *context,
        ]
        return Request(b"POST", self._path, fields)

    async def finish(self, deadline: float) -> None:
        """Request the work, and wait until it is done or the deadline passes."""
        await self._transport.finish(deadline)
        if self._left:
            request, first = self._left
            self._left = None
            now = trio.current_time()
            call = Call(first.invocation, deadline, request=request, started=now)
            if failure := await self._work(request, call):
                log.error("%s", failure.line(f"{call.subject}: {UNDONE}"))
            await self._transport.finish(deadline)

    async def _work(self, request: Request, call: Call) -> InvocationError | None:
        """Request the work; return why it was not done, or None."""
        try:
            response = await self._transport.send(request, call)
        except InvocationError as error:
            return error
        if response.status < 400:
            return None
        return AppRequestError(f"the application responded with {response.status}")


def _asks_for_work(field: Field) -> bool:
    return field[0].lower() == AFTER_REPLY
