"""AWS_LAMBDA_LOG_LEVEL=DEBUG: log each request and response."""

import trio

from lambda_adapter.app.app import Call, Middleware
from lambda_adapter.http.messages import Fields, Request, Response
from lambda_adapter.observe.logs import log


class RequestLog(Middleware):
    """Logs requests and responses, without queries or values, which may be secret."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and log the request with its response."""
        started = trio.current_time()
        response = await self._transport.send(request, call)
        body = response.body
        log.debug(
            "%s %s (%d bytes; %s) returned status %d after %.1f ms (%s; %s)",
            request.method.decode(),
            request.target.partition(b"?")[0].decode("latin-1"),
            len(request.body),
            _header_names(request.fields),
            response.status,
            (trio.current_time() - started) * 1000,
            f"{len(body)} bytes" if isinstance(body, bytes) else "a stream",
            _header_names(response.fields),
        )
        return response


def _header_names(fields: Fields) -> str:
    return ", ".join(name.decode() for name, _ in fields) or "no fields"
