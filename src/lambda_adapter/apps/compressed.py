"""AWS_LWA_ENABLE_COMPRESSION: whole responses are compressed. Core: no I/O."""

from lambda_adapter.apps.app import Around, Turn
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.compression import compress
from lambda_adapter.http.messages import Request, Response


class Compressed(Around):
    """Compresses responses for clients that accept it."""

    async def send(self, request: Request, turn: Turn) -> Response:
        """Send, and compress the response if that is worth it.

        A body may be larger than the reply that it is compressed for.
        """
        turn.max_body = MAX_REPLY
        response = await self._seat.send(request, turn)
        return compress(request, response)
