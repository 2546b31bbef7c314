"""AWS_LWA_AFTER_REPLY_PATH: work that the application does after its reply.

Lambda freezes the environment when the next event is asked for, and nobody sees from
outside whether a process still works. So the application says so in its response, and
is then sent a second request: the work lasts for as long as the response to that one
takes. It needs no library, and the work can't be forgotten.
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
"""In a response: there is work left. In the request for it: the value that was said."""

UNDONE = "the work after the reply was not done"

_CONTEXT = frozenset({LAMBDA_CONTEXT, REQUEST_ID, TENANT_ID, TRACE_ID, b"traceparent"})
"""Fields of the first request that the second one has, too."""


class AfterReply(Middleware):
    """Asks the application for the work that is left, and waits for it."""

    def __init__(self, transport: Transport, path: str) -> None:
        super().__init__(transport)
        self._path = path.encode()
        self._left: tuple[Request, Call] | None = None

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and take note of the work that the response says is left."""
        self._left = None
        response = await self._transport.send(request, call)
        asked = [field for field in response.fields if _asks(field)]
        if not asked:
            return response
        self._left = self._second(request, asked[0][1]), call
        fields = [field for field in response.fields if not _asks(field)]
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
        """Ask for the work, and wait until it is done, or for the deadline."""
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
        """Return why the work was not done, if it was not."""
        try:
            response = await self._transport.send(request, call)
        except InvocationError as error:
            return error
        if response.status < 400:
            return None
        return AppRequestError(f"the application responded with {response.status}")


def _asks(field: Field) -> bool:
    return field[0].lower() == AFTER_REPLY
