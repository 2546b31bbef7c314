"""``whole``: responses that come whole in one piece, and plainly framed."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_adapter.http.known import MAX_KNOWN
from lambda_adapter.http.whole import (
    _known_heads,
    _known_lines,
    _known_statuses,
    read_whole,
)
from tests.http.test_http1 import EDITS, STREAMS, Llhttp, edited
from tests.responses import OK, TWO, parse

PLAIN = {
    "a body": TWO,
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "kept alive": OK + b"Connection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
    "an error": b"HTTP/1.1 500 Oh\r\nx-a: b\r\nX-A:\tc \r\ncontent-length:2\r\n\r\nok",
    "two cookies": OK + b"Set-Cookie: a=1\r\n" * 2 + b"content-length: 1\r\n\r\n\n",
}
ODD = {
    "nothing": b"",
    "half a head": TWO[:20],
    "half a body": TWO[:-1],
    "more than a body": TWO + b"x",
    "another response": TWO + TWO,
    "no length": OK + b"\r\nok",
    "two lengths": OK + b"Content-Length: 2\r\n" * 2 + b"\r\nok",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nok",
    "a signed length": OK + b"Content-Length: +2\r\n\r\nok",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a length and a coding": OK
    + b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a last response": OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "an interim one first": b"HTTP/1.1 100 C\r\n\r\n" + TWO,
    "an interim one with a length": b"HTTP/1.1 103 E\r\nContent-Length: 2\r\n\r\nok",
    "no content": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n",
    "a folded field": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "a space before a colon": OK + b"X : a\r\nContent-Length: 2\r\n\r\nok",
    "a control character": OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "a bare line feed": OK + b"X: a\nY: b\r\nContent-Length: 2\r\n\r\nok",
    "a bare carriage return": OK + b"X: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "no colon": OK + b"Content-Length: 2\r\nX\r\n\r\nok",
    "an empty line first": b"\r\n" + TWO,
    "an endless head": OK + b"X: %s\r\n" % bytes(131_072) + TWO,
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain_response(data):
    """A plain response is read as the parser reads it, and the next may follow it."""
    assert (read_whole(data, math.inf), True) == parse(data, limit=math.inf)


def test_no_response_shares_its_fields():
    """What is done to one response's fields changes no other response."""
    first, second = read_whole(TWO, math.inf), read_whole(TWO, math.inf)

    assert first
    assert second
    assert first.fields == second.fields
    assert first.fields is not second.fields


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_odd_response(data):
    """What is odd is left to the parser, each time that it comes."""
    assert read_whole(data, math.inf) is None
    assert read_whole(data, math.inf) is None


def test_large_body():
    """A body over the limit is left to the parser."""
    assert read_whole(TWO, 2)
    assert read_whole(TWO, 1) is None


@given(name=st.sampled_from(sorted(STREAMS | PLAIN)), edits=EDITS)
@settings(max_examples=1_000)
def test_nothing_but_what_the_parsers_read(name, edits):
    """What is read at once is read the same by the parser and by llhttp."""
    data = edited((STREAMS | PLAIN)[name], edits)
    response = read_whole(data, math.inf)
    if response is None:
        return

    assert (response, True) == parse(data, limit=math.inf)
    theirs = Llhttp(data).outcome
    said = (response.status, response.reason, response.fields, response.body)
    assert theirs == said


def test_memory_is_bounded_and_holds_no_secret():
    """Lines of no more than a few fields are remembered, and only so many of them."""
    for number in range(3 * MAX_KNOWN):
        secret = b"Set-Cookie: session=%d\r\nX-Token: %d\r\n" % (number, number)
        named = b"Content-Type: text/x-%d\r\nContent-Length: 2\r\n\r\nok" % number
        assert read_whole(OK + secret + named, math.inf)

    assert len(_known_lines) <= MAX_KNOWN
    assert len(_known_statuses) <= MAX_KNOWN
    assert len(_known_heads) <= MAX_KNOWN
    kept = b"".join([*_known_lines, *_known_heads]).lower()
    assert b"text/x-" in kept
    assert b"session" not in kept
    assert b"token" not in kept
