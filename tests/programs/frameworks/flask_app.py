"""Flask."""

from flask import Flask, Response, jsonify, redirect, request, url_for

app = Flask(__name__)
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


@app.get("/")
def hello():
    return "Hello, yes", {"content-type": "text/plain"}


@app.route("/echo/<path:path>", methods=METHODS)
def echo(path):
    return jsonify(
        method=request.method,
        url=request.url,
        query=sorted(request.args.items(multi=True)),
        body=request.get_data().decode("latin-1"),
        header=request.headers.getlist("x-test"),
    )


@app.get("/stream")
def stream():
    pieces = (f"piece {number}\n" for number in range(3))
    return pieces, {"content-type": "text/plain"}


@app.get("/bytes")
def every_byte():
    return Response(bytes(range(256)), content_type="application/octet-stream")


@app.get("/cookies")
def cookies():
    response = Response("Two cookies")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


@app.get("/redirect")
def away():
    return redirect(url_for("hello"))


@app.get("/error")
def error():
    raise ValueError("a secret reason")


@app.get("/empty")
def empty():
    return "", 204


@app.get("/file")
def file():
    from flask import send_file

    return send_file(__file__)


@app.post("/events")
def events():
    return request.get_json()
