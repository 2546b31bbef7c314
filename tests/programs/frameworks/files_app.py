"""Files behind the middleware that changes bodies: each under a path of its own."""

from pathlib import Path

from brotli_asgi import BrotliMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette_compress import CompressMiddleware
from zstd_asgi import ZstdMiddleware

HERE = Path(__file__).parent


async def relative(request):
    """Send a file that is named as the working directory sees it."""
    return FileResponse("pyproject.toml", media_type="text/plain")


async def absolute(request):
    return FileResponse(HERE / "files_app.py", media_type="text/plain")


async def reads_body(request, call_next):
    """Read the response's body, as middleware that logs or signs it does."""
    response = await call_next(request)
    body = b"".join([piece async for piece in response.body_iterator])
    headers = dict(response.headers)
    return Response(body, response.status_code, headers)


async def passes_on(request, call_next):
    return await call_next(request)


MIDDLEWARE = {
    "none": [],
    "gzip": [Middleware(GZipMiddleware, minimum_size=100)],
    "brotli": [Middleware(BrotliMiddleware, minimum_size=100)],
    "compress": [Middleware(CompressMiddleware, minimum_size=100)],
    "zstd": [Middleware(ZstdMiddleware, minimum_size=100)],
    "base": [Middleware(BaseHTTPMiddleware, dispatch=passes_on)],
    "reads": [Middleware(BaseHTTPMiddleware, dispatch=reads_body)],
    "both": [
        Middleware(GZipMiddleware, minimum_size=100),
        Middleware(BaseHTTPMiddleware, dispatch=passes_on),
    ],
}

FILES = [
    Route("/relative", relative),
    Route("/absolute", absolute),
    Mount("/static", StaticFiles(directory=HERE)),
]

app = Starlette(
    routes=[
        Mount(f"/{name}", app=Starlette(routes=FILES, middleware=middleware))
        for name, middleware in MIDDLEWARE.items()
    ]
)
