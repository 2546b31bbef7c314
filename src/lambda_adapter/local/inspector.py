"""The inspector: a page with the latest invocations, which follows them live."""

import contextlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec
import trio
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lambda_adapter.errors import AdapterError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
from lambda_adapter.http.messages import Fields, decoded
from lambda_adapter.local.asgi import send_piece
from lambda_adapter.local.function import Function
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.quoting import truncate_middle

QUEUE = 100
"""Invocations that wait for a slow browser; then it has to connect again."""


class EventStream:
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


class EventStreamResponse(Response):
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


MAX_TEXT = 65_536
"""Characters of an event, a body or a log that are shown."""


class View(msgspec.Struct, frozen=True):
    """What there is to show."""

    number: int
    time: str
    title: str
    status: str
    good: bool
    duration: str
    billed: str
    memory: str
    failure: str
    event: str
    request: str
    reply: str
    response: str
    log: str


def view(invocation: Invocation) -> View:
    """Return what the page shows of an invocation."""
    response = invocation.response
    failure = invocation.failure
    failed = f"{failure.error_type}: {failure.message}" if failure else ""
    status = response.status if response else 0
    init = f", init {invocation.init_ms:.0f} ms" if invocation.init_ms else ""
    return View(
        number=invocation.number,
        time=datetime.fromtimestamp(invocation.at).strftime("%H:%M:%S"),
        title=truncate_middle(invocation.title, 200),
        status=str(status or ("error" if failure else "ok")),
        good=not failure and status < 400,
        duration=f"{invocation.duration_ms:.1f} ms{init}",
        billed=f"{invocation.billed_ms} ms",
        memory=f"{invocation.memory_mb} MB",
        failure=" ".join(filter(None, [failed, invocation.note])),
        event=_laid_out(invocation.payload),
        request=_request(invocation.payload),
        reply=_laid_out(invocation.reply_payload),
        response=_response(invocation),
        log=truncate_middle("\n".join(invocation.lines), MAX_TEXT),
    )


def _laid_out(document: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        document = msgspec.json.format(document, indent=2)
    return _text(document)


def _request(payload: bytes) -> str:
    """Return the request that the application sees, less what the adapter adds."""
    try:
        request = classify(payload).decode(payload).request(Context(b""))
    except (AdapterError, RecursionError) as error:
        return str(error)
    line = f"{decoded(request.method)} {decoded(request.target)} HTTP/1.1"
    fields = [field for field in request.fields if field[1]]
    return "\n".join([line, *_lines(fields), "", _text(request.body)]).rstrip()


def _response(invocation: Invocation) -> str:
    response = invocation.response
    if response is None:
        return ""
    streamed = invocation.pieces is not None
    body = response.body if isinstance(response.body, bytes) else b""
    shown = "(streamed)" if streamed else _text(body)
    head = [str(response.status), *_lines(response.fields)]
    return "\n".join([*head, "", shown]).rstrip()


def _lines(fields: Fields) -> list[str]:
    return [f"{decoded(name)}: {decoded(value)}" for name, value in fields]


def _text(data: bytes) -> str:
    try:
        return truncate_middle(data.decode(), MAX_TEXT)
    except UnicodeDecodeError:
        return f"({len(data):,} bytes)"


DIGITS = 16
"""Digits that no invocation's number has; Python refuses to read 4,300 of them."""

PATH = "/_lambda"
"""Where everything of the page is."""

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
"""Nothing but the page's own script and style: https://www.w3.org/TR/CSP3/"""


class Page:
    """The page of a function."""

    def __init__(self, function: Function, port: int) -> None:
        self._function = function
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._token = secrets.token_urlsafe(16)
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
        page = self._templates.get_template("page.html").render(
            views=[view(each) for each in told],
            latest=max((each.number for each in told), default=0),
            nonce=nonce,
        )
        policy = {"Content-Security-Policy": POLICY.format(nonce)}
        return HTMLResponse(page, headers=PRIVATE | policy)

    async def _tell(self, request: Request) -> Response:
        """Send each invocation that is over, and what was missed since one."""
        self._guard(request)
        said = request.headers.get("last-event-id") or request.query_params.get("after")
        after = int(said) if said and said.isdecimal() and len(said) < DIGITS else 0
        return EventStreamResponse(self._news.subscribe(after), self._render, PRIVATE)

    async def _replay(self, request: Request) -> Response:
        """Send an event again, and have its gateway respond to nobody."""
        self._guard(request)
        if request.headers.get("origin") not in {f"http://{h}" for h in self._hosts}:
            raise HTTPException(403, "not from this page")
        number = str(request.path_params["number"])
        known = number.isdecimal() and len(number) < DIGITS
        old = self._function.records.find(int(number)) if known else None
        if old is None:
            raise HTTPException(404, "no longer remembered")
        title = f"{old.title.removesuffix(AGAIN)}{AGAIN}"
        again = await self._function.invoke(old.payload, title, old.respond)
        again.drop_pieces()
        return Response(status_code=204)

    def _guard(self, request: Request) -> None:
        """Let nobody in but whoever has the URL that was printed.

        Raises:
            HTTPException: that is not so.
        """
        if request.headers.get("host") not in self._hosts:
            raise HTTPException(403, "not the host of this page")
        token = str(request.path_params["token"])
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise HTTPException(403, OPEN)

    def _render(self, invocation: Invocation) -> str:
        template = self._templates.get_template("invocation.html")
        return template.render(view=view(invocation))


async def _refuse(request: Request) -> Response:
    raise HTTPException(403, OPEN)
