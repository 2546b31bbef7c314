"""The inspector: a page that shows the latest invocations live."""

import json
import secrets
from collections.abc import Callable
from typing import Protocol

import trio
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lambda_adapter import __version__
from lambda_adapter.local.asgi import send_piece
from lambda_adapter.local.function import Function
from lambda_adapter.local.invocation import History, Invocation
from lambda_adapter.local.invocation_view import View, view
from lambda_adapter.local.options import Options, settings_shown


class Rows(Protocol):
    """What the page shows: a function, or a MicroVM."""

    records: History
    begun: list[Callable[[Invocation], None]]
    listeners: list[Callable[[Invocation], None]]

    @property
    def options(self) -> Options:
        """What it was started with."""


QUEUE = 100
"""Most invocations to queue for a slow browser; then it must reconnect."""


class EventStream:
    """Sends each invocation to every open page, when it begins and when it ends."""

    def __init__(self, function: Rows) -> None:
        self._records = function.records
        self._readers: set[trio.MemorySendChannel[Invocation]] = set()
        function.begun.append(self._tell)
        function.listeners.append(self._tell)

    def subscribe(self, after: int) -> trio.MemoryReceiveChannel[Invocation]:
        """Return the invocations since a given one, and the channel of later ones."""
        kept = reversed(list(self._records))
        missed = [
            each for each in kept if each.number > after or not each.told.is_set()
        ]
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


class EventStreamResponse(Response):
    """A response that ends when its client disconnects or is too slow."""

    media_type = "text/event-stream"

    def __init__(
        self,
        news: trio.MemoryReceiveChannel[Invocation],
        render: Callable[[Invocation], str],
        session: str,
        headers: dict[str, str],
    ) -> None:
        super().__init__(headers=headers)
        self._session = session
        del self.headers["content-length"]
        self._news = news
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": self.raw_headers})
        async with trio.open_nursery() as nursery, self._news:
            nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
            hello = f"event: session\ndata: {self._session}\n\n"
            await send_piece(send, hello.encode(), more=True)
            async for invocation in self._news:
                await send_piece(send, self._event(invocation), more=True)
            nursery.cancel_scope.cancel()
        await send_piece(send, b"", more=False)

    def _event(self, invocation: Invocation) -> bytes:
        """Return an event; only a completed invocation has an id to resume from."""
        over = invocation.told.is_set()
        html = self._render(invocation)
        said = {"number": invocation.number, "over": over, "html": html}
        number = f"id: {invocation.number}\n" if over else ""
        return f"{number}data: {json.dumps(said)}\n\n".encode()


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


DIGITS = 16
"""Most digits of an invocation's number; Python refuses to parse 4,300."""

PATH = "/_lambda"
"""Path prefix of the page and its files."""

OPEN = "open the URL that was printed at the start"

AGAIN = " (replayed)"

PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

POLICY = (
    "default-src 'none'; connect-src 'self'; style-src 'nonce-{0}';"
    " script-src 'nonce-{0}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Allows only the page's own script and style: https://www.w3.org/TR/CSP3/"""


class Page:
    """The page of a function."""

    def __init__(self, function: Rows, port: int, *, token: str = "") -> None:
        self._function = function
        self._url = f"http://127.0.0.1:{port}"
        self._session = secrets.token_urlsafe(8)
        """Changes with each start, because numbers begin again."""
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._token = token or secrets.token_urlsafe(16)
        self._news = EventStream(function)
        self._templates = Environment(
            loader=PackageLoader("lambda_adapter.local", "."),
            autoescape=True,
            undefined=StrictUndefined,
        )
        self._app = Starlette(
            routes=[
                Route(f"{PATH}/{{token}}/", self._show),
                Route(f"{PATH}/{{token}}/news", self._tell),
                Route(
                    f"{PATH}/{{token}}/replay/{{number}}",
                    self._replay,
                    methods=["POST"],
                ),
                Route(f"{PATH}{{rest:path}}", _refuse),
            ]
        )
        self.path = f"{PATH}/{self._token}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        await self._app(scope, receive, send)

    async def _show(self, request: Request) -> Response:
        self._guard(request)
        nonce = secrets.token_urlsafe(16)
        told = [each for each in self._function.records if each.told.is_set()]
        options = self._function.options
        page = self._templates.get_template("page.html").render(
            views=[self._view(each) for each in self._function.records],
            latest=max((each.number for each in told), default=0),
            nonce=nonce,
            session=self._session,
            command=options.shown or "lambda-adapter local",
            gateway=options.entrance,
            heading="Hooks" if options.microvm else "Invocations",
            settings=settings_shown(options.environ),
            url=self._url,
            version=__version__,
        )
        policy = {"Content-Security-Policy": POLICY.format(nonce)}
        return HTMLResponse(page, headers=PRIVATE | policy)

    async def _tell(self, request: Request) -> Response:
        """Send the invocations that were missed, then each later one."""
        self._guard(request)
        said = request.headers.get("last-event-id") or request.query_params.get("after")
        after = int(said) if said and said.isdecimal() and len(said) < DIGITS else 0
        return EventStreamResponse(
            self._news.subscribe(after), self._render, self._session, PRIVATE
        )

    async def _replay(self, request: Request) -> Response:
        """Send an event again; the gateway's response is only shown."""
        self._guard(request)
        if request.headers.get("origin") not in {f"http://{h}" for h in self._hosts}:
            raise HTTPException(403, "not from this page")
        number = str(request.path_params["number"])
        known = number.isdecimal() and len(number) < DIGITS
        old = self._function.records.find(int(number)) if known else None
        function = self._function
        if old is None or old.is_refused or not isinstance(function, Function):
            raise HTTPException(404, "no longer remembered")
        title = f"{old.title.removesuffix(AGAIN)}{AGAIN}"
        again = await function.invoke(old.payload, title, old.respond)
        again.drop_pieces()
        return Response(status_code=204)

    def _guard(self, request: Request) -> None:
        """Check that the request has the token of the printed URL.

        Raises:
            HTTPException: it does not.
        """
        if request.headers.get("host") not in self._hosts:
            raise HTTPException(403, "not the host of this page")
        token = str(request.path_params["token"])
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise HTTPException(403, OPEN)

    def _render(self, invocation: Invocation) -> str:
        template = self._templates.get_template("invocation.html")
        return template.render(view=self._view(invocation))

    def _view(self, invocation: Invocation) -> View:
        return view(invocation, self._function.options.config, self._url)


async def _refuse(request: Request) -> Response:
    raise HTTPException(403, OPEN)
