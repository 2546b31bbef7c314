"""An ASGI application: /slow computes for 30 s in a thread, /wait waits as long.

All else responds with the number of its process, and so do these.
"""

import asyncio
import os
import time


def compute():
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass


async def live(receive, send):
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await live(receive, send)
    if scope["path"] == "/slow":
        await asyncio.to_thread(compute)
    if scope["path"] == "/wait":
        await asyncio.sleep(30)
    head = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
    return None
