"""The page of recent invocations, at ``/_lambda/TOKEN/``. An ASGI application. Shell.

It shows secrets, and replays requests. So it is on the loopback interface alone, its
path holds a token, and ``Host`` and ``Origin`` have to be its own: another page in the
same browser does not know the token, and is refused.
"""

import secrets

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lambda_adapter.local.function import Function
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.news import News, NewsResponse
from lambda_adapter.local.view import view

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
        self._news = News(function)
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
                    f"{PATH}/{{token}}/replay/{{number:int}}",
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
        after = int(said) if said and said.isdecimal() else 0
        return NewsResponse(self._news.subscribe(after), self._render, PRIVATE)

    async def _replay(self, request: Request) -> Response:
        """Send an event again, and have its gateway respond to nobody."""
        self._guard(request)
        if request.headers.get("origin") not in {f"http://{h}" for h in self._hosts}:
            raise HTTPException(403, "not from this page")
        old = self._function.records.find(request.path_params["number"])
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
