"""Quart, on trio."""

import trio
from quart import jsonify, request
from quart_trio import QuartTrio

app = QuartTrio(__name__)


@app.get("/")
async def hello():
    await trio.lowlevel.checkpoint()
    return "Hello, yes", {"content-type": "text/plain"}


@app.route("/echo/<path:path>", methods=["GET", "POST"])
async def echo(path):
    body = await request.get_data()
    assert isinstance(body, bytes)
    return jsonify(
        method=request.method, path=request.path, body=body.decode("latin-1")
    )


@app.get("/stream")
async def stream():
    async def pieces():
        for number in range(3):
            yield f"piece {number}\n".encode()

    return pieces(), {"content-type": "text/plain"}


@app.get("/error")
async def error():
    raise ValueError("a secret reason")


@app.post("/events")
async def events():
    return await request.get_json()
