"""A task in the server's event loop that looks after something, again and again."""

import asyncio
from contextlib import asynccontextmanager

from fastapi import FastAPI


async def look():
    while True:
        await asyncio.sleep(0.2)


@asynccontextmanager
async def lifespan(app):
    app.state.task = asyncio.create_task(look())
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def read():
    return {"ok": True}
