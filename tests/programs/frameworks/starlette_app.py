"""Starlette, and what all of these applications do."""

import contextlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": "yes"}


async def hello(request):
    task = BackgroundTask(lambda: None)
    return PlainTextResponse(f"Hello, {request.state.started}", background=task)


async def echo(request):
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "url": str(request.url),
            "query": request.query_params.multi_items(),
            "body": body.decode("latin-1"),
            "header": request.headers.getlist("x-test"),
        }
    )


async def stream(request):
    async def pieces():
        for number in range(3):
            yield f"piece {number}\n"

    return StreamingResponse(pieces(), media_type="text/plain")


async def every_byte(request):
    return Response(bytes(range(256)), media_type="application/octet-stream")


async def cookies(request):
    response = PlainTextResponse("Two cookies")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


async def redirect(request):
    return RedirectResponse(request.url_for("hello"))


async def error(request):
    raise ValueError("a secret reason")


async def empty(request):
    return Response(status_code=204)


async def file(request):
    return FileResponse(__file__)


async def middleware(request, call_next):
    response = await call_next(request)
    response.headers["x-middleware"] = "was here"
    return response


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/echo/{path:path}", echo, methods=METHODS),
        Route("/stream", stream),
        Route("/bytes", every_byte),
        Route("/cookies", cookies),
        Route("/redirect", redirect),
        Route("/error", error),
        Route("/empty", empty),
        Route("/file", file),
        Route("/events", echo, methods=["POST"]),
    ],
    lifespan=lifespan,
    middleware=[Middleware(BaseHTTPMiddleware, dispatch=middleware)],
)
