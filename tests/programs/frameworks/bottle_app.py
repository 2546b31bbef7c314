"""Bottle."""

from bottle import Bottle, HTTPResponse, redirect, request, response

app = Bottle()


@app.get("/")
def hello():
    response.content_type = "text/plain"
    return "Hello, yes"


@app.route("/echo/<path:path>", ["GET", "POST"])
def echo(path):
    return {
        "method": request.method,
        "url": request.url,
        "body": request.body.read().decode("latin-1"),
        "header": request.get_header("x-test"),
    }


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    for number in range(3):
        yield f"piece {number}\n"


@app.get("/bytes")
def every_byte():
    response.content_type = "application/octet-stream"
    return bytes(range(256))


@app.get("/cookies")
def cookies():
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return "Two cookies"


@app.get("/redirect")
def away():
    redirect("/")


@app.get("/error")
def error():
    raise ValueError("a secret reason")


@app.get("/empty")
def empty():
    return HTTPResponse(status=204)


@app.post("/events")
def events():
    return request.json
