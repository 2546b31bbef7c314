"""A small shop: a page for people, and a queue of orders."""

from flask import Flask, Response, abort, jsonify, request

app = Flask(__name__)
orders: list[dict[str, object]] = []


@app.get("/orders")
def show() -> Response:
    """List the orders that came, and remember the visitor."""
    response = jsonify(orders=orders, page=request.args.get("page", "1"))
    response.set_cookie("visited", "yes")
    return response


@app.post("/events")
def take() -> Response:
    """Take the messages of a queue; nobody else may send any."""
    if request.headers.get("x-amzn-request-context") != "null":
        abort(403)
    messages = request.get_json(force=True)["Records"]
    if any("body" not in message for message in messages):
        abort(400, "a message without a body")  # so that the queue sends it again
    orders.extend({"id": message["body"]} for message in messages)
    print(f"{len(messages)} orders taken", flush=True)
    return jsonify(batchItemFailures=[])
