"""A web application for a MicroVM, as ``app`` for ASGI and ``wsgi`` for WSGI.

``GET /seen``       the requests so far as JSON: method, path, headers, body
``... /status/N``   status N
``... /slow/N``     204 after N seconds
``... /once``       204, and 500 after the first time
``... /hang``       nothing, ever
``... /environ``    its environment as JSON
Any other           204. Each process remembers its own requests, readiness checks too.
With $SLOW_START the readiness check fails for so many requests.
"""

import asyncio
import json
import os
import time

seen: list[dict[str, object]] = []


def respond(method, path, headers, body):
    """Return the status, the seconds until then, and the body of a response."""
    if path == "/seen":
        return 200, 0, json.dumps(seen).encode()
    if path == "/environ":
        return 200, 0, json.dumps(dict(os.environ)).encode()
    seen.append(
        {
            "method": method,
            "path": path,
            "headers": headers,
            "body": body.decode("latin-1"),
        }
    )
    if path == "/health":
        checks = sum(each["path"] == "/health" for each in seen)
        return 503 if checks <= int(os.environ.get("SLOW_START", "0")) else 204, 0, b""
    _, _, rest = path.partition("/")
    kind, _, value = rest.partition("/")
    if kind == "once":
        return 204 if sum(each["path"] == path for each in seen) == 1 else 500, 0, b""
    if kind == "status":
        return int(value), 0, b""
    seconds = float(value) if kind == "slow" else 0
    return 204, 3600.0 if kind == "hang" else seconds, b""


async def app(scope, receive, send):
    """Respond by ASGI."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    status, seconds, text = respond(scope["method"], scope["path"], headers, body)
    if seconds:
        await asyncio.wait(
            [asyncio.get_running_loop().create_future()], timeout=seconds
        )
    fields = [(b"content-length", b"%d" % len(text))] if status != 204 else []
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": text})


def wsgi(environ, start_response):
    """Respond by WSGI."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    body = environ["wsgi.input"].read()
    status, seconds, text = respond(
        environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body
    )
    if seconds:
        time.sleep(seconds)
    start_response(f"{status} x", [("Content-Length", str(len(text)))])
    return [text]
