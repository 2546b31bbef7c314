"""An ASGI application behind a gateway and the adapter, as an ASGI application.

It runs on its caller's own loop: under asyncio, trio is a guest there
(https://trio.readthedocs.io/en/stable/reference-lowlevel.html#using-guest-mode-to-run-trio-on-top-of-other-event-loops).
What no client can send goes past gateway and adapter: a scope's keys that are the
test's own, exceptions, and the messages of test clients' own extensions.
"""

import asyncio
import contextvars
import math
from collections.abc import Awaitable, Callable
from urllib.parse import quote, unquote_to_bytes

import sniffio
import trio

from lambda_adapter.app.in_process.asgi.host import Ended, Host
from lambda_adapter.app.in_process.asgi.host_asyncio import AsyncioGate, start_task
from lambda_adapter.app.in_process.asgi.host_trio import TrioHost
from lambda_adapter.app.in_process.asgi.transport import ASGITransport
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways.gateway import ClientRequest, RefusedError
from lambda_between.invocation import (
    ADDED,
    Runtime,
    make_config,
    make_payload,
    response_of,
    serve,
)

_PATH = "!$&'()*+,;=:@/~"

_nested = contextvars.ContextVar("nested", default=False)
"""Whether an application is being called: what it asks of itself goes directly."""


class LoopHost:
    """Runs an application's coroutines as tasks of the loop that is there."""

    def __init__(self, context: contextvars.Context) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = context
        self._tasks: list[asyncio.Task[None]] = []

    def gate(self):
        """Return a closed gate."""
        return AsyncioGate(self._loop)

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended):
        """Start a coroutine, in the context of the test."""
        task = self._context.run(start_task, self._loop, call, ended)
        self._tasks.append(task)
        return task

    def wake(self) -> None:
        """Do nothing: the loop runs."""

    async def close(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks:
            task.cancel()
            await outlast(task)


async def outlast(future: asyncio.Future[None]) -> bool:
    """Wait for a future, and return whether this was cancelled, however often."""
    was_cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            was_cancelled = True
    return was_cancelled


class Watched:
    """An application, and what it does that no reply says."""

    def __init__(self, app, scope, send) -> None:
        self._app = app
        self._given = scope
        self._send = send
        self.error: BaseException | None = None
        self.has_started = False

    async def __call__(self, scope, receive, send):
        """Call it with the test's own keys as well, and note what it raises."""
        own = {name.lower() for name, _ in self._given["headers"]}
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name in own or name not in ADDED
        ]
        debug = {"http.response.debug", "http.response.template"}
        given = self._given.get("extensions") or {}
        scope["extensions"] |= {each: given[each] for each in debug & given.keys()}
        for key, value in self._given.items():
            scope.setdefault(key, value)

        async def watched_send(message):
            if message["type"] in debug:
                await self._send(message)
                return
            self.has_started = True
            await send(message)

        _nested.set(True)
        try:
            await self._app(scope, receive, watched_send)
        except BaseException as error:
            self.error = error
            raise


class Between:
    """An application that is asked through a gateway and the adapter."""

    def __init__(self, app) -> None:
        self.app = app

    def __getattr__(self, name: str) -> object:
        return getattr(self.app, name)

    async def __call__(self, scope, receive, send):
        """Respond as the application does behind both."""
        if scope["type"] != "http" or _nested.get():
            await self.app(scope, receive, send)
            return
        # A scope's headers may be an iterator of iterators, and these are read twice.
        scope = scope | {"headers": [(name, value) for name, value in scope["headers"]]}
        body = await _read(receive)
        if body is None:
            return
        arrival = arrival_of(scope, body)
        try:
            payload = make_payload(arrival)
        except RefusedError as refused:
            await _answer(refused.response, None, None, send)
            return
        watched = Watched(self.app, scope, send)
        base_path = quote(scope.get("root_path", ""), safe=_PATH).rstrip("/")
        config = make_config("asgi", base_path)
        state = scope.get("state")
        run = _on_trio if sniffio.current_async_library() == "trio" else _on_asyncio

        def transport(host: Host) -> ASGITransport:
            return ASGITransport(host, watched, Function(config), base_path, state)

        async def reply(runtime: Runtime, next_piece) -> None:
            try:
                if watched.has_started or not watched.error:
                    response = response_of(runtime, arrival)
                    await _answer(response, runtime, next_piece, send)
            finally:
                runtime.let_go()

        await run(payload, transport, config, reply)
        if watched.error:
            raise watched.error


async def _on_trio(payload, transport, config, reply) -> None:
    replied = trio.Event()
    deliver, delivered = trio.open_memory_channel(math.inf)
    runtime = Runtime(payload, replied.set, deliver.send_nowait)
    host = TrioHost()
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)

        async def invoke() -> None:
            try:
                await serve(runtime, transport(host), config)
            finally:
                host.close()

        nursery.start_soon(invoke)
        await replied.wait()
        await reply(runtime, delivered.receive)


class Guest:
    """trio, as long as a loop of asyncio's has an invocation under way."""

    guests: dict[asyncio.AbstractEventLoop, "Guest"] = {}  # noqa: RUF012

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._users = 0
        self._ready = loop.create_future()
        self._done = loop.create_future()

    @classmethod
    def of_loop(cls) -> "Guest":
        """Return the running loop's, started if there is none."""
        loop = asyncio.get_running_loop()
        if loop not in cls.guests:
            guest = cls.guests[loop] = cls(loop)
            trio.lowlevel.start_guest_run(
                guest._run,
                run_sync_soon_threadsafe=loop.call_soon_threadsafe,
                done_callback=lambda _: guest._done.set_result(None),
                host_uses_signal_set_wakeup_fd=True,
                restrict_keyboard_interrupt_to_checkpoints=True,
            )
        return cls.guests[loop]

    async def _run(self) -> None:
        async with trio.open_nursery() as self._nursery:
            self._ready.set_result(None)
            await trio.sleep_forever()

    async def run(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run a function of trio's; cancelling this cancels it."""
        self._users += 1
        scope = trio.CancelScope()
        over = self._loop.create_future()

        async def contain() -> None:
            try:
                with scope:
                    await function()
            finally:
                over.set_result(None)

        was_cancelled = await outlast(self._ready)
        self._nursery.start_soon(contain)
        try:
            if was_cancelled:
                raise asyncio.CancelledError
            await asyncio.wait([over])
        finally:
            scope.cancel()
            await outlast(over)
            self._users -= 1
            if not self._users:
                del self.guests[self._loop]
                self._nursery.cancel_scope.cancel()
                await outlast(self._done)


async def _on_asyncio(payload, transport, config, reply) -> None:
    host = LoopHost(contextvars.copy_context())
    replied = asyncio.Event()
    pieces = asyncio.Queue[bytes | None]()
    runtime = Runtime(payload, replied.set, pieces.put_nowait)

    async def answer() -> None:
        await replied.wait()
        await reply(runtime, pieces.get)

    answering = asyncio.ensure_future(answer())
    try:
        await Guest.of_loop().run(lambda: serve(runtime, transport(host), config))
        await answering
    finally:
        answering.cancel()
        await host.close()


async def _read(receive) -> bytes | None:
    """Return a request's body, None if the client has gone before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def _answer(response: Response, runtime: Runtime | None, next_piece, send):
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [(name.lower(), value) for name, value in response.fields],
        }
    )
    body = response.body
    if runtime and runtime.is_stream:
        body = b""
        while (piece := await next_piece()) is not None:
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            await send(message)
            runtime.take()
        if runtime.error:  # it broke off: its client does not see an end
            return
    await send({"type": "http.response.body", "body": body})


def arrival_of(scope, body: bytes) -> ClientRequest:
    """Return the request that a client would have sent."""
    path, root = scope["path"], scope.get("root_path", "")
    if root and path != root and not path.startswith(f"{root}/"):
        path = root + path
    sent = (scope.get("raw_path") or b"").decode("ascii", "replace")
    if unquote_to_bytes(sent) != path.encode():
        sent = quote(path.encode(), safe=_PATH)
    query = scope.get("query_string", b"")
    host, port = scope.get("server") or ("localhost", 80)
    fields = list(scope["headers"])
    if not any(name.lower() == b"host" for name, _ in fields):
        fields.insert(0, (b"host", host.encode()))
    client, _ = scope.get("client") or ("127.0.0.1", 0)
    return ClientRequest(
        scope["method"],
        sent or "/",
        quote(query, safe=_PATH + '?%[]{}|\\^`"<>'),
        fields,
        body,
        client,
        port or 80,
        scope.get("scheme", "http"),
    )
