"""FastAPI, with functions that are coroutines and functions that are not."""

import contextlib
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Request, Response
from fastapi.responses import (
    FileResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel

METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": "yes"}


app = FastAPI(lifespan=lifespan)


class Item(BaseModel):
    """A body that is checked."""

    name: str
    price: float = 1.5


def connection():
    """Be a dependency that is closed after the response."""
    yield "connection"


@app.get("/", response_class=PlainTextResponse)
async def hello(request: Request, tasks: BackgroundTasks) -> str:
    tasks.add_task(print, end="")
    return f"Hello, {request.state.started}"


@app.api_route("/echo/{path:path}", methods=METHODS)
async def echo(request: Request) -> dict[str, object]:
    body = await request.body()
    return {
        "method": request.method,
        "url": str(request.url),
        "query": request.query_params.multi_items(),
        "body": body.decode("latin-1"),
        "header": request.headers.getlist("x-test"),
    }


@app.get("/stream")
def stream() -> StreamingResponse:
    """Be a function that runs in a thread, and so does its generator."""
    return StreamingResponse(
        (f"piece {number}\n" for number in range(3)), media_type="text/plain"
    )


@app.get("/bytes")
def every_byte() -> Response:
    return Response(bytes(range(256)), media_type="application/octet-stream")


@app.get("/cookies")
def cookies(response: Response, used: Annotated[str, Depends(connection)]) -> str:
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return used


@app.get("/redirect")
async def redirect(request: Request) -> RedirectResponse:
    return RedirectResponse(request.url_for("hello"))


@app.get("/error")
async def error() -> None:
    raise ValueError("a secret reason")


@app.get("/empty", status_code=204)
async def empty() -> None: ...


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(__file__)


@app.post("/items")
def items(item: Item) -> Item:
    return item


@app.post("/events")
async def events(request: Request) -> object:
    return await request.json()
