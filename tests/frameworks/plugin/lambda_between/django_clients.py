"""Django's test clients. Their handlers return a response, and not what a server sends.

So an application is made of each handler, and what its client got is put into the
response that the handler returned.
"""

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import client

from lambda_between import asgi, wsgi

_call = client.ClientHandler.__call__
_call_async = client.AsyncClientHandler.__call__


def put_between() -> None:
    """Put a gateway and the adapter behind both."""
    client.ClientHandler.__call__ = call
    client.AsyncClientHandler.__call__ = call_async


def call(self, environ):
    """Return the response that came back through WSGI."""
    handled, started = [], []

    def app(environ, start_response):
        response = _call(self, environ)
        handled.append(response)
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, _headers(response))
        return response.streaming_content if response.streaming else [response.content]

    def start_response(status, headers, exc_info=None):
        started[:] = [status, headers]

    body = b"".join(wsgi.Between(app)(environ, start_response))
    status, headers = started
    code = int(status.partition(" ")[0])
    return _filled(handled, code, headers, body, "wsgi_request", WSGIRequest(environ))


async def call_async(self, scope):
    """Return the response that came back through ASGI."""
    handled, messages = [], []
    given = scope.pop("_body_file", None)
    sent = given.read() if given else b""

    async def app(scope, receive, send):
        message = await receive()
        body_file = client.FakePayload(message["body"])
        response = await _call_async(self, scope | {"_body_file": body_file})
        handled.append(response)
        headers = [
            (name.encode("ascii"), value.encode("latin-1"))
            for name, value in _headers(response)
        ]
        start = {"type": "http.response.start", "status": response.status_code}
        await send(start | {"headers": headers})
        if response.streaming:
            async for piece in response:
                part = {"type": "http.response.body", "body": piece}
                await send(part | {"more_body": True})
        body = b"" if response.streaming else response.content
        await send({"type": "http.response.body", "body": body})

    async def receive():
        return {"type": "http.request", "body": sent}

    async def send(message):
        messages.append(message)

    await asgi.Between(app)(scope, receive, send)
    start, *pieces = messages
    headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in start["headers"]]
    body = b"".join(piece.get("body", b"") for piece in pieces)
    request = ASGIRequest(scope, client.FakePayload(sent))
    return _filled(handled, start["status"], headers, body, "asgi_request", request)


def _headers(response):
    cookies = [("Set-Cookie", c.output(header="")) for c in response.cookies.values()]
    return [*response.items(), *cookies]


def _filled(handled, status, headers, body, attribute, request):
    """Return the handler's response with what its client got."""
    if handled:
        (response,) = handled
    else:  # a gateway or the adapter refused the request
        response = HttpResponse()
        setattr(response, attribute, request)
        response.request = {}
    had = {name.lower() for name, _ in response.items()}
    for name in list(response.headers):
        del response.headers[name]
    response.cookies.clear()
    for name, value in headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        elif name.lower() in had or name.lower() != "content-length":
            response.headers[name] = value
    response.status_code = status
    if not response.streaming:
        response.content = body
    elif response.is_async:
        response.streaming_content = _one(body)
    else:
        response.streaming_content = iter([body])
    return response


async def _one(body):
    yield body
