"""AWS_LWA_ENABLE_COMPRESSION: whole responses are compressed. Core: no I/O."""

from lambda_adapter.apps.app import Around
from lambda_adapter.http.compression import compress
from lambda_adapter.http.messages import Request, Response


class Compressed(Around):
    """Compresses responses for clients that accept it."""

    async def send(self, request: Request, *, streamed: bool = False) -> Response:
        """Send, and compress the response if that is worth it."""
        response = await self._seat.send(request, streamed=streamed)
        return compress(request, response)
