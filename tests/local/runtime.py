"""A runtime, at a Runtime API of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import trio

from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.options import Options
from lambda_adapter.local.runtime_api import RuntimeApi

RUNTIME = "/2018-06-01/runtime"
NEXT = f"{RUNTIME}/invocation/next"


class Runtime:
    """A runtime with one connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.h11 = h11.Connection(h11.CLIENT)

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *fields: tuple[str, str],
        trailers: list[tuple[str, str]] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request, and return the response."""
        await self.begin(method, target, *fields)
        await self.send(body)
        return await self.end(trailers)

    async def ask_in_vain(self, method: str, target: str) -> None:
        """Send a request, and do not wait for the response."""
        await self.begin(method, target)
        await self._send(h11.EndOfMessage())

    async def begin(self, method: str, target: str, *fields: tuple[str, str]) -> None:
        if self.h11.our_state is h11.DONE:
            self.h11.start_next_cycle()
        given = [("Host", "x"), ("Transfer-Encoding", "chunked"), *fields]
        await self._send(h11.Request(method=method, target=target, headers=given))

    async def send(self, piece: bytes) -> None:
        await self._send(h11.Data(data=piece))

    async def end(
        self, trailers: list[tuple[str, str]] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        await self._send(h11.EndOfMessage(headers=trailers or []))
        status, fields, body = 0, {}, b""
        with trio.fail_after(10):
            while True:
                event = self.h11.next_event()
                if event is h11.NEED_DATA:
                    self.h11.receive_data(await self.stream.receive_some())
                elif isinstance(event, h11.Response):
                    status = event.status_code
                    fields = {k.decode(): v.decode() for k, v in event.headers}
                elif isinstance(event, h11.Data):
                    body += event.data
                else:
                    return status, fields, body

    async def _send(self, event: h11.Event) -> None:
        await self.stream.send_all(self.h11.send(event) or b"")


@asynccontextmanager
async def open_runtime() -> AsyncIterator[tuple[RuntimeApi, Runtime]]:
    """Give a Runtime API and a runtime that is connected to it."""
    api = RuntimeApi(Options((), {}, timeout=3))
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, api.serve, [listener])
        port = listener.socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            yield api, Runtime(stream)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_invocation() -> AsyncIterator[tuple[Runtime, Invocation, str]]:
    """Give a runtime that has got an invocation, and where it is to be replied to."""
    async with open_runtime() as (api, runtime):
        invocation = Invocation(b'{"an":"event"}')
        api.put(invocation)
        await runtime.ask("GET", NEXT)
        yield runtime, invocation, f"{RUNTIME}/invocation/{invocation.request_id}"
