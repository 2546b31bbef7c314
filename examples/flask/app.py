"""A small Flask application. Only its handler for events knows of Lambda."""

import base64

from flask import Flask, Response, abort, jsonify, request

app = Flask(__name__)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@app.get("/")
def hello() -> str:
    """Greet."""
    return "Hello from Flask!\n"


@app.route("/echo", methods=METHODS)
@app.route("/echo/<path:path>", methods=METHODS)
def echo(path: str = "") -> Response:
    """Respond with the request, byte for byte as the web server received it."""
    return jsonify(
        method=request.method,
        target=request.environ["RAW_URI"],
        headers=list(request.headers.items()),
        body=base64.b64encode(request.get_data()).decode(),
    )


@app.get("/bytes")
def every_byte() -> Response:
    """Respond with what is no text in any encoding that matters."""
    return Response(bytes(range(256)), content_type="application/octet-stream")


@app.get("/text")
def text() -> Response:
    """Respond with text beyond ASCII."""
    return Response("Grüße, 世界 🌍\n", content_type="text/plain; charset=utf-8")


@app.get("/cookies")
def cookies() -> Response:
    """Set two cookies."""
    response = Response("Two cookies for you.\n", content_type="text/plain")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


@app.post("/events")
def events() -> Response:
    """Receive an event that is no HTTP request: from a queue, a schedule, a bucket.

    A client can POST here too, but the adapter lets only such events have this value.
    """
    if request.headers.get("x-amzn-request-context") != "null":
        abort(403)
    return jsonify(received=request.get_json(force=True))


@app.get("/status/<int:code>")
def status(code: int) -> tuple[str, int]:
    """Respond with the status asked for."""
    return f"Status {code}.\n", code
