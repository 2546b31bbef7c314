"""Quart, on asyncio."""

from quart import Quart, Response, jsonify, redirect, request, url_for

app = Quart(__name__)
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
STATE: dict[str, object] = {}


@app.before_serving
async def start():
    STATE["started"] = "yes"


@app.get("/")
async def hello():
    async def after():
        STATE["done"] = True

    app.add_background_task(after)
    return f"Hello, {STATE['started']}", {"content-type": "text/plain"}


@app.route("/echo/<path:path>", methods=METHODS)
async def echo(path):
    body = await request.get_data()
    assert isinstance(body, bytes)
    return jsonify(
        method=request.method,
        url=request.url,
        query=sorted(request.args.items(multi=True)),
        body=body.decode("latin-1"),
        header=request.headers.getlist("x-test"),
    )


@app.get("/stream")
async def stream():
    async def pieces():
        for number in range(3):
            yield f"piece {number}\n".encode()

    return pieces(), {"content-type": "text/plain"}


@app.get("/bytes")
def every_byte():
    """Be a function that runs in a thread."""
    return Response(bytes(range(256)), content_type="application/octet-stream")


@app.get("/cookies")
async def cookies():
    response = Response("Two cookies")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


@app.get("/redirect")
async def away():
    return redirect(url_for("hello"))


@app.get("/error")
async def error():
    raise ValueError("a secret reason")


@app.get("/empty")
async def empty():
    return "", 204


@app.post("/events")
async def events():
    return await request.get_json()
