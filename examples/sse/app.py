"""Server-sent events that survive the end of a stream, as it comes on Lambda.

What a browser does with them, and when it comes again:
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
import math
import os
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

app = FastAPI()

INTERVAL = float(os.environ.get("INTERVAL", "1"))
"""Seconds between two events."""

LAST = int(os.environ.get("LAST", "600"))
"""The number of the last event."""

MARGIN = 1
"""Seconds before Lambda's deadline at which a stream ends: later is an error."""

FIELDS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would collect the events
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Hello from FastAPI!</title>
<h1>Hello from FastAPI!</h1>
<p id="tick">…</p>
<script>
  const tick = document.getElementById("tick");
  const ticks = new EventSource("ticks");
  ticks.onmessage = ({ data }) => { tick.textContent = data; };
</script>
</html>
"""


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    """Show the events; the stream's address is relative, for a REST API's stage."""
    return PAGE


@app.get("/ticks")
async def ticks(
    request: Request, last_event_id: Annotated[int, Header(ge=0)] = 0
) -> Response:
    """Stream the events after the one that the client has seen last.

    A client whose stream has ended comes again with the id of its last event. It may
    get to another environment, so what is next has to follow from that id alone. 204
    tells it not to come again.
    """
    if last_event_id >= LAST:
        return Response(status_code=204)
    events = stream(last_event_id, time_limit(request))
    return StreamingResponse(events, headers=FIELDS, media_type="text/event-stream")


async def stream(number: int, end: float) -> AsyncIterator[str]:
    """Make events, at least one, until it is time to end."""
    yield "retry: 1000\n\n"  # milliseconds until the client comes again
    while number < LAST:
        number += 1
        yield f"id: {number}\ndata: tick {number} of {LAST}\n\n"
        if time.time() + INTERVAL > end:
            return
        await asyncio.sleep(INTERVAL)


def time_limit(request: Request) -> float:
    """Return when a stream has to end, in seconds since 1970; without Lambda, never."""
    context = json.loads(request.headers.get("x-amzn-lambda-context", "null"))
    return context["deadline"] / 1000 - MARGIN if context else math.inf
