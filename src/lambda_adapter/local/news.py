"""News of invocations, as server-sent events. Shell.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from collections.abc import Callable

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lambda_adapter.local.asgi import send_piece
from lambda_adapter.local.function import Function
from lambda_adapter.local.invocation import Invocation

QUEUE = 100
"""Invocations that wait for a slow browser; then it has to connect again."""


class News:
    """Tells every open page of each invocation that is over."""

    def __init__(self, function: Function) -> None:
        self._records = function.records
        self._readers: set[trio.MemorySendChannel[Invocation]] = set()
        function.listeners.append(self._tell)

    def subscribe(self, after: int) -> trio.MemoryReceiveChannel[Invocation]:
        """Return what was missed since an invocation, and what comes."""
        told = [each for each in self._records if each.told.is_set()]
        missed = [each for each in reversed(told) if each.number > after]
        room = len(missed) + QUEUE
        sending, receiving = trio.open_memory_channel[Invocation](room)
        for invocation in missed:
            sending.send_nowait(invocation)
        self._readers.add(sending)
        return receiving

    def _tell(self, invocation: Invocation) -> None:
        for reader in list(self._readers):
            try:
                reader.send_nowait(invocation)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._readers.discard(reader)
                reader.close()


class NewsResponse(Response):
    """A response that ends when its client goes, or is too slow."""

    media_type = "text/event-stream"

    def __init__(
        self,
        news: trio.MemoryReceiveChannel[Invocation],
        render: Callable[[Invocation], str],
        headers: dict[str, str],
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._news = news
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the news."""
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": self.raw_headers})
        async with trio.open_nursery() as nursery, self._news:
            nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
            async for invocation in self._news:
                data = json.dumps(self._render(invocation))
                event = f"id: {invocation.number}\ndata: {data}\n\n"
                await send_piece(send, event.encode(), more=True)
            nursery.cancel_scope.cancel()
        await send_piece(send, b"", more=False)


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
