"""Litestar."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import HttpMethod, Litestar, Request, get, post, route
from litestar.background_tasks import BackgroundTask
from litestar.response import File, Redirect, Response, Stream


async def start(app: Litestar) -> None:
    app.state.started = "yes"


@get("/", media_type="text/plain")
async def hello(request: Request[Any, Any, Any]) -> Response[str]:
    text = f"Hello, {request.app.state.started}"
    return Response(text, background=BackgroundTask(print, end=""))


@route(
    "/echo/{rest:path}",
    http_method=[HttpMethod.GET, HttpMethod.POST],
    status_code=200,
)
async def echo(request: Request[Any, Any, Any]) -> dict[str, object]:
    body = await request.body()
    return {
        "method": request.method,
        "url": str(request.url),
        "query": sorted(request.query_params.multi_items()),
        "body": body.decode("latin-1"),
        "header": request.headers.getall("x-test", []),
    }


@get("/stream", media_type="text/plain")
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[str]:
        for number in range(3):
            yield f"piece {number}\n"

    return Stream(pieces())


@get("/bytes", media_type="application/octet-stream", sync_to_thread=True)
def every_byte() -> bytes:
    return bytes(range(256))


@get("/cookies", media_type="text/plain")
async def cookies() -> Response[str]:
    response = Response("Two cookies")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


@get("/redirect")
async def redirect() -> Redirect:
    return Redirect("/")


@get("/error")
async def error() -> None:
    raise ValueError("a secret reason")


@get("/empty", status_code=204)
async def empty() -> None:
    return None


@get("/file")
async def file() -> File:
    return File(__file__)


@post("/events", status_code=200)
async def events(request: Request[Any, Any, Any]) -> Any:
    return await request.json()


app = Litestar(
    [hello, echo, stream, every_byte, cookies, redirect, error, empty, file, events],
    on_startup=[start],
)
