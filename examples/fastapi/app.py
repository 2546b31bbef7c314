"""A small FastAPI application. Only its handler for events knows of Lambda."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

app = FastAPI()
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@app.get("/", response_class=PlainTextResponse)
async def hello() -> str:
    """Greet."""
    return "Hello from FastAPI!\n"


@app.api_route("/echo", methods=METHODS)
@app.api_route("/echo/{path:path}", methods=METHODS)
async def echo(request: Request) -> dict[str, Any]:
    """Respond with the request, byte for byte as the web server received it."""
    query = request.scope["query_string"]
    target = request.scope["raw_path"] + (b"?" + query if query else b"")
    return {
        "method": request.method,
        "target": target.decode("ascii"),
        "headers": request.headers.items(),
        "body": base64.b64encode(await request.body()).decode(),
    }


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Respond line by line, one every half second."""

    async def lines() -> AsyncIterator[str]:
        for number in range(1, 6):
            yield f"line {number} of 5\n"
            await asyncio.sleep(0.5)

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/bytes")
async def every_byte() -> Response:
    """Respond with what is no text in any encoding that matters."""
    return Response(bytes(range(256)), media_type="application/octet-stream")


@app.get("/cookies", response_class=PlainTextResponse)
async def cookies(response: Response) -> str:
    """Set two cookies."""
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return "Two cookies for you.\n"


@app.post("/events")
async def events(request: Request) -> dict[str, Any]:
    """Receive an event that is no HTTP request: from a queue, a schedule, a bucket.

    A client can POST here too, but the adapter lets only such events have this value.
    """
    if request.headers.get("x-amzn-request-context") != "null":
        raise HTTPException(403)
    return {"received": await request.json()}


@app.get("/status/{code}", response_class=PlainTextResponse)
async def status(code: int) -> PlainTextResponse:
    """Respond with the status asked for."""
    return PlainTextResponse(f"Status {code}.\n", code)
