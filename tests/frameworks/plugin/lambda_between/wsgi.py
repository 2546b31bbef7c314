"""A WSGI application behind a gateway and the adapter, as a WSGI application.

What no client can send goes past them: keys of an environ that are the test's own, the
stream for errors, exceptions, and the reason of a status.
"""

import contextlib
import functools
import io
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, unquote_to_bytes

import trio

from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.wsgi.transport import WSGITransport
from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways.gateway import ClientRequest, RefusedError
from lambda_between.invocation import (
    ADDED,
    Runtime,
    make_config,
    make_payload,
    reason_of,
    response_of,
    serve,
)

Environ = dict[str, object]

_PATH = "!$&'()*+,;=:@/~"
_OWN = frozenset(
    {
        *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI"),
        *("REQUEST_URI", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"),
        *("CONTENT_TYPE", "CONTENT_LENGTH", "REMOTE_ADDR"),
        *("wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.input_terminated"),
        *("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"),
        "wsgi.file_wrapper",
    }
)
"""What the adapter says, whatever the test does."""


class Watched:
    """An application, and what it did that no reply says."""

    def __init__(self, app: Callable[..., Iterable[bytes]], environ: Environ) -> None:
        self._app = app
        self._given = environ
        self.error: BaseException | None = None
        self.status = ""

    def __call__(self, environ, start_response):
        """Call it with the test's own keys as well, and note what it raises."""
        for name in ADDED:
            variable = "HTTP_" + name.decode().upper().replace("-", "_")
            if variable not in self._given:
                environ.pop(variable, None)
        environ.update(
            (key, value)
            for key, value in self._given.items()
            if key not in _OWN and not key.startswith("HTTP_")
        )

        def start(status, headers, exc_info=None):
            self.status = status
            return start_response(status, headers, exc_info)

        with self.noting():
            return Body(self, self._app(environ, start))

    @contextlib.contextmanager
    def noting(self) -> Iterator[None]:
        """Note what the application raises, for the test to see."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise


class Body:
    """What an application returned, watched as well."""

    def __init__(self, watched: Watched, body: Iterable[bytes]) -> None:
        self._watched = watched
        self._body = body
        self._pieces = iter(body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._watched.noting():
            try:
                return next(self._pieces)
            except StopIteration:
                pass
        raise StopIteration

    def close(self) -> None:
        """Close it."""
        with self._watched.noting():
            if close := getattr(self._body, "close", None):
                close()


class Whole(list[bytes]):
    """A response's body, for clients that close each."""

    def close(self) -> None:
        """Do nothing."""


class Between:
    """An application that is asked through a gateway and the adapter."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ, start_response):
        """Respond as the application does behind both.

        What the application asks of itself, and what is no request, goes directly.
        """
        if trio.lowlevel.in_trio_run() or "REQUEST_METHOD" not in environ:
            return self._app(environ, start_response)
        arrival = arrival_of(environ)
        try:
            payload = make_payload(arrival)
        except RefusedError as refused:
            return _answer(refused.response, "", start_response)
        base_path = quote(_bytes(environ, "SCRIPT_NAME"), safe=_PATH).rstrip("/")
        config = make_config("wsgi", base_path)
        watched = Watched(self._app, environ)
        transport = WSGITransport(
            watched, Function(config), base_path, multithread=False, inline=True
        )
        runtime = Runtime(payload, lambda: None)
        trio.run(functools.partial(serve, runtime, transport, config))
        if watched.error:
            raise watched.error
        return _answer(response_of(runtime, arrival), watched.status, start_response)


def _answer(response: Response, sent: str, start_response):
    status, _, reason = sent.partition(" ")
    if status != str(response.status):
        reason = ""
    fields = [
        (name.decode(), value.decode("latin-1")) for name, value in response.fields
    ]
    start_response(f"{response.status} {reason_of(response.status, reason)}", fields)
    return Whole([response.body])


def arrival_of(environ: Environ) -> ClientRequest:
    """Return the request that a client would have sent."""
    path = _bytes(environ, "SCRIPT_NAME") + _bytes(environ, "PATH_INFO")
    uri = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    sent, _, _ = str(uri).partition("?")
    if unquote_to_bytes(sent) != path or not sent.startswith("/"):
        sent = quote(path, safe=_PATH)
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    return ClientRequest(
        environ["REQUEST_METHOD"],
        sent or "/",
        quote(query, safe=_PATH + '?%[]{}|\\^`"<>'),
        list(_fields(environ)),
        _body(environ),
        environ.get("REMOTE_ADDR") or "127.0.0.1",
        int(environ.get("SERVER_PORT") or 80),
        environ.get("wsgi.url_scheme", "http"),
    )


def _bytes(environ: Environ, key: str) -> bytes:
    return str(environ.get(key, "")).encode("latin-1")


def _fields(environ: Environ) -> Iterable[tuple[bytes, bytes]]:
    """Yield the headers, as UTF-8: that is what gateways send."""
    if "HTTP_HOST" not in environ:
        port = str(environ.get("SERVER_PORT", ""))
        name = str(environ.get("SERVER_NAME") or "localhost")
        is_usual = port in {"", "80" if environ["wsgi.url_scheme"] == "http" else "443"}
        yield b"host", (name if is_usual else f"{name}:{port}").encode("latin-1")
    for key, value in environ.items():
        if key.startswith("HTTP_") and value is not None:
            yield _name(key[5:]), str(value).encode("latin-1")
        elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value != "":
            yield _name(key), str(value).encode("latin-1")


def _name(variable: str) -> bytes:
    return variable.replace("_", "-").lower().encode()


def _body(environ: Environ) -> bytes:
    stream = environ.get("wsgi.input")
    if stream is None:
        return b""
    chunked = str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower() == "chunked"
    if length := environ.get("CONTENT_LENGTH"):
        body = stream.read(int(length))
    elif chunked or environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        return b""
    # A client that is redirected may send it again.
    if (seekable := getattr(stream, "seekable", None)) and seekable():
        stream.seek(-len(body), io.SEEK_CUR)
    return body
