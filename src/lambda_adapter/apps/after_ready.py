"""AWS_LWA_ASYNC_INIT: events may come before the application is ready. Shell."""

import trio

from lambda_adapter.apps.app import Around, Seat, Turn
from lambda_adapter.http.messages import Request, Response


class AfterReady(Around):
    """Holds requests back until the application is ready."""

    def __init__(self, seat: Seat, ready: trio.Event) -> None:
        super().__init__(seat)
        self._ready = ready

    async def send(self, request: Request, turn: Turn) -> Response:
        """Wait until the application is ready, then send."""
        if not self._ready.is_set():
            await self._ready.wait()
        return await self._seat.send(request, turn)
