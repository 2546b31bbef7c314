"""Responses as bytes, and what is made of them."""

from lambda_adapter.http.parser import ResponseParser

LIMIT = 1_000


OK = b"HTTP/1.1 200 OK\r\n"


TWO = OK + b"Content-Length: 2\r\n\r\nok"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def parse(*pieces, method=b"GET", limit=LIMIT):
    """Feed a parser as a connection does: until it is complete, then no more.

    Bytes that nobody reads any more keep a connection from being reused as well.
    """
    parser = ResponseParser(method, limit)
    waiting = list(pieces)
    while not parser.complete:
        parser.feed(waiting.pop(0) if waiting else b"")
    unread = b"".join(waiting)
    response = parser.response(parser.take_body())
    return response, parser.reusable and not unread


def cut(data, *places):
    """Return data in pieces."""
    ends = [*sorted(set(places)), len(data)]
    starts = [0, *ends]
    return [data[a:b] for a, b in zip(starts, ends, strict=False) if a < b]
