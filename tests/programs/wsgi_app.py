"""A WSGI application that does as the path says, well or wrongly."""

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

KEPT = threading.local()
HERE = threading.Barrier(4)
CLOSED: list[int] = []
SEEN = ContextVar("seen", default="nothing")
WRITES: list[Callable[[bytes], object]] = []


def note(text):
    print(text, file=sys.stderr, flush=True)


class Closing:
    """Pieces that note where and when they are closed."""

    def __init__(self, *pieces):
        self.pieces = iter(pieces)
        self.thread = threading.get_ident()

    def __iter__(self):
        return self.pieces

    def close(self):
        note("closed" if self.thread == threading.get_ident() else "wrong thread")


def respond(start_response, body=b"ok", status="200 OK", fields=()):
    start_response(status, [("Content-Type", "text/plain"), *fields])
    return [body]


def show(environ, start_response):
    shown: dict[str, object] = {
        name: value if isinstance(value, (str, bool)) else repr(value)
        for name, value in environ.items()
    }
    shown["body"] = environ["wsgi.input"].read().decode("latin-1")
    shown["aws.event"] = dict(environ["aws.event"])
    shown["aws.context"] = environ["aws.context"].aws_request_id
    return respond(start_response, json.dumps(shown).encode())


def closing(environ, start_response):
    respond(start_response)
    return Closing(b"o", b"k")


def closing_raises(environ, start_response):
    respond(start_response)
    note("in the request")
    return Closing(failing())


def failing():
    yield b""
    raise ValueError("a secret reason")


def stream(environ, start_response):
    start_response("200 OK", [])
    for number in range(3):
        yield b"piece %d\n" % number


def writes(environ, start_response):
    write = start_response("200 OK", [])
    write(b"written ")
    write(b"first ")
    return [b"and returned"]


def file(environ, start_response):
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](io.BytesIO(bytes(range(256)) * 1000), 1000)


def kept(environ, start_response):
    """Count the requests that this thread has had."""
    KEPT.count = getattr(KEPT, "count", 0) + 1
    return respond(start_response, str(KEPT.count).encode())


def thread(environ, start_response):
    main = threading.current_thread() is threading.main_thread()
    return respond(start_response, b"main" if main else b"another")


def replaces(environ, start_response):
    """Put an error in place of a response that has not begun."""
    respond(start_response)
    try:
        raise ValueError("a secret reason")
    except ValueError:
        start_response("503 Later", [], sys.exc_info())
    return [b"later"]


def replaces_late(environ, start_response):
    """Try the same with one that has begun."""
    respond(start_response)
    yield b"half"
    try:
        raise ValueError("a secret reason")
    except ValueError:
        start_response("503 Later", [], sys.exc_info())
    yield b"later"


def waits_for(environ, start_response):
    """Respond once there is a file of this name."""
    while not os.path.exists(environ["QUERY_STRING"]):
        time.sleep(0.01)
    return respond(start_response)


def raises(environ, start_response):
    raise ValueError("a secret reason")


def raises_within(environ, start_response):
    start_response("200 OK", [])
    yield b"half"
    raise ValueError("a secret reason")


def leaves(environ, start_response):
    sys.exit(3)


def never(environ, start_response):
    return []


def twice(environ, start_response):
    respond(start_response)
    return respond(start_response)


def body_first(environ, start_response):
    yield b"body"


def text(environ, start_response):
    start_response("200 OK", [])
    return ["text"]


def nothing(environ, start_response):
    start_response("200 OK", [])


def odd_status(environ, start_response):
    return respond(start_response, status="OK")


def odd_field(environ, start_response):
    return respond(start_response, fields=[("X-A", "a\r\nX-B: b")])


def bytes_name(environ, start_response):
    return respond(start_response, fields=[(b"X-A", "a")])


def number(environ, start_response):
    return respond(start_response, fields=[("X-A", 3)])


def euro(environ, start_response):
    return respond(start_response, fields=[("X-A", "3 \N{EURO SIGN}")])


def bytes_status(environ, start_response):
    return respond(start_response, status=b"200 OK")


def context(environ, start_response):
    """Respond with what an earlier request has left in a context variable."""
    seen = SEEN.get()
    SEEN.set("something")
    respond(start_response)

    class Pieces(Closing):
        def close(self):
            note(SEEN.get())

    return Pieces(seen.encode())


def keeps_write(environ, start_response):
    """Use the ``write`` of an earlier request, and keep this one's."""
    if WRITES:
        WRITES.pop()(b"into the wrong response")
    WRITES.append(start_response("200 OK", []))
    return [b"ok"]


def odd_name(environ, start_response):
    return respond(start_response, fields=[("X A", "a")])


def short(environ, start_response):
    return respond(start_response, fields=[("Content-Length", "9")])


def long(environ, start_response):
    return respond(start_response, fields=[("Content-Length", "1")])


def no_content(environ, start_response):
    status = environ["QUERY_STRING"]
    return respond(start_response, b"no content", f"{status} Whatever")


def asks_for_work(environ, start_response):
    """Ask for the request that AWS_LWA_AFTER_REPLY_PATH names."""
    return respond(start_response, fields=[("X-Lwa-After-Reply", "1")])


def noted(environ, start_response):
    """Note each piece of a megabyte before it goes."""
    start_response("200 OK", [])
    for number in range(9):
        note(f"piece {number}")
        yield bytes(1_000_000)


def large(environ, start_response):
    start_response("200 OK", [])
    for _ in range(int(environ["QUERY_STRING"])):
        yield bytes(1_000_000)


def hangs(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 30))
    return respond(start_response)


def endless(environ, start_response):
    start_response("200 OK", [])
    try:
        while True:
            yield b"x"
    finally:
        note("the client is gone")


def meets(environ, start_response):
    """Wait until four are here."""
    HERE.wait(5)
    return respond(start_response, environ["QUERY_STRING"].encode())


def before(environ, start_response):
    note(f"hook {environ['PATH_INFO']} {environ['HTTP_X_AMZN_LAMBDA_CONTEXT']}")
    return respond(start_response)


after = before


def library(environ, start_response):
    """Say which library runs in a coroutine, as anyio and httpx find it out."""
    import asyncio

    import sniffio

    async def which():
        return sniffio.current_async_library().encode()

    class Body:
        def __iter__(self):
            yield asyncio.run(which())

        def close(self):
            note(f"close: {asyncio.run(which()).decode()}")

    respond(start_response)
    return Body()


def by_names(environ, start_response):
    start_response(status="200 OK", headers=[])
    try:
        raise ValueError
    except ValueError:
        start_response("503 Busy", [], exc_info=sys.exc_info())
    return [b"sorry"]


def logs(environ, start_response):
    from lambda_adapter.observe.logs import request_id

    return respond(start_response, request_id.get().encode())


def app(environ, start_response):
    """Do as the path says."""
    name = environ["PATH_INFO"].strip("/").partition("/")[0] or "show"
    return globals()[name](environ, start_response)


def create():
    """Be a factory."""
    return app
