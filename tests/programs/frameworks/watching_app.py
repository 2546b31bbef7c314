"""FastAPI behind middleware that gives a request up when its client is gone."""

import sys

import anyio
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse


def work(name: str) -> None:
    print(f"worked after {name}", file=sys.stderr, flush=True)


inner = FastAPI()


@inner.get("/whole")
async def whole(tasks: BackgroundTasks) -> str:
    tasks.add_task(work, "whole")
    return "whole"


@inner.get("/stream")
async def stream(tasks: BackgroundTasks) -> StreamingResponse:
    tasks.add_task(work, "stream")
    return StreamingResponse(iter(["a", "b"]), background=tasks)


async def app(scope, receive, send):
    """Cancel the endpoint on ``http.disconnect``."""
    if scope["type"] == "lifespan":
        await inner(scope, receive, send)
        return
    await receive()
    sent = anyio.Event()

    async def note(message):
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            sent.set()

    async def once():
        return {"type": "http.request", "body": b"", "more_body": False}

    async with anyio.create_task_group() as group:

        async def watch():
            message = await receive()
            if not sent.is_set():
                group.cancel_scope.cancel(f"{message['type']} before the end")

        group.start_soon(watch)
        await inner(scope, once, note)
        group.cancel_scope.cancel()
