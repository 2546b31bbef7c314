"""``head``: status lines and header lines, from whatever sends them."""

import pytest

from lambda_adapter.errors import PeerError
from lambda_adapter.http import head
from lambda_adapter.http.head import MAX_HEAD
from lambda_adapter.http.memo import MAX_KNOWN, MAX_KNOWN_SIZE
from lambda_adapter.http.parser import ResponseParser
from tests.responses import CHUNKED, LIMIT, OK, TWO, cut, parse


@pytest.mark.parametrize("places", [[], [1], range(200)], ids=["whole", "two", "bytes"])
def test_bare_line_feeds(places):
    """A head whose lines end in a line feed alone is read like any other."""
    data = b"\n" + TWO.replace(b"\r\n", b"\n")

    read = parse(*cut(data, *(place for place in places if place < len(data))))

    assert read == parse(TWO)


def test_body_that_looks_like_lines():
    """Line feeds of a body are the body's, whatever ends the lines of its head."""
    body = b"\n\n\r\n\r\nHTTP/1.1 200 OK\n\n"
    data = b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(body) + body

    assert parse(data)[0].body == body


HALF = "X" * 50


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS, and plain HTTP is needed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "it speaks SSH-2.0"),
        (b"RTSP/1.0 200 OK\r\n", "it speaks RTSP/1.0"),
        (b"HTTP/2.0 200 OK\r\n", "it speaks HTTP/2.0"),
        (b"HTTP/1.1 secret\r\n", "it does not begin with a status line"),
        (b"220 secret ESMTP\r\n", "it does not begin with a status line"),
        (b'{"secret": 1}\r\n', "it does not begin with a status line"),
        (OK + b"secret A: 1\r\n", "a header has an invalid name"),
        (
            OK + b"X: a\r\n secret\r\n",
            "a header is folded over several lines, after the header X",
        ),
        (OK + b"secret\r\n", "a header line has no colon"),
        (
            OK + b"X: a\r\nY: secret\r\nsecret\r\n\r\n",
            "a header line has no colon, after the header Y",
        ),
        (
            OK + b"X: a\r\nsecret A: 1\r\n\r\n",
            "a header has an invalid name, after the header X",
        ),
        (OK + b"X: \x01secret\r\n", "the header X has a control character"),
        (OK + b"secret A: \x01\r\n", "a header has a control character"),
        (
            OK + b"X" * 500 + b": \x01\r\n",
            f"the header {HALF}[400 characters left out]{HALF} has a control character",
        ),
        (CHUNKED + b"secret\r\n", "the size of a chunk is invalid"),
    ],
)
def test_reason_of_refusal(data, reason):
    """The error has a reason, but quotes nothing that may be secret."""
    with pytest.raises(PeerError) as caught:
        ResponseParser(b"GET").feed(data)

    message = str(caught.value)
    assert message == f"its response is not HTTP/1.1: {reason}"
    assert "secret" not in message


@pytest.mark.parametrize("status", [b"000", b"001", b"099"])
def test_status_that_is_none(status):
    """A status below 100 is an error."""
    parser = ResponseParser(b"GET", LIMIT)

    with pytest.raises(PeerError):
        parser.feed(b"HTTP/1.1 " + status + b" Odd\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize("status", [200, 299, 300, 418, 499, 500, 599, 600, 999])
def test_status(status):
    """A final status is returned, known or not."""
    response, _ = parse(b"HTTP/1.1 %d Any\r\nContent-Length: 0\r\n\r\n" % status)

    assert (response.status, response.reason) == (status, b"Any")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"HTTP/1.1 200 OK", b"OK"),
        (b"HTTP/1.1 200 ", b""),
        (b"HTTP/1.1 200", b""),
        (b"HTTP/1.1 200 All is well", b"All is well"),
        (b"HTTP/1.1 200 caf\xe9", b"caf\xe9"),
    ],
)
def test_reason(line, reason):
    """The reason phrase is whatever follows the status."""
    assert parse(line + b"\r\nContent-Length: 0\r\n\r\n")[0].reason == reason


def test_fields():
    """Headers keep case, order, duplicates and bytes, without outer white space."""
    lines = (
        b"Set-Cookie: a=1\r\nX-Empty:\r\nset-cookie:b=2\r\nX-A: \t \xff\xe9 a \t\r\n"
    )

    response, _ = parse(OK + lines + b"Content-Length: 0\r\n\r\n")

    assert response.fields == [
        (b"Set-Cookie", b"a=1"),
        (b"X-Empty", b""),
        (b"set-cookie", b"b=2"),
        (b"X-A", b"\xff\xe9 a"),
        (b"Content-Length", b"0"),
    ]


OVER = {
    "one-field": OK + b"X: " + b"a" * MAX_HEAD + b"\r\nContent-Length: 0\r\n\r\n",
    "many-fields": OK + b"X: abc\r\n" * (MAX_HEAD // 8) + b"Content-Length: 0\r\n\r\n",
    "reason": b"HTTP/1.1 200 " + b"a" * MAX_HEAD + b"\r\nContent-Length: 0\r\n\r\n",
    "many-interim": b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_HEAD // 25 + 1) + TWO,
}


@pytest.mark.parametrize("size", [1_024, 65_536, 10**6], ids=["1k", "64k", "whole"])
@pytest.mark.parametrize("name", OVER)
def test_head_over_limit(name, size):
    """The limit of a head is the same, however the head arrives."""
    data = OVER[name]

    with pytest.raises(PeerError, match="head of its response is over 131,072 bytes"):
        parse(*cut(data, *range(0, len(data), size)))


def test_head_without_end():
    """A head that never ends is an error."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK)

    for _ in range(127):
        parser.feed(b"X-A: 1\r\n" * 128)

    with pytest.raises(PeerError, match="over 131,072 bytes"):
        parser.feed(b"X-A: 1\r\n" * 128)


@pytest.mark.parametrize("size", [1_024, 65_536, 10**6], ids=["1k", "64k", "whole"])
def test_head_at_limit(size):
    """A head of exactly the limit is accepted."""
    start, end = OK + b"X: ", b"\r\nContent-Length: 2\r\n\r\n"
    head = start + b"a" * (MAX_HEAD - len(start) - len(end)) + end

    response, _ = parse(*cut(head + b"ok", *range(0, len(head), size)))

    assert response.body == b"ok"


def test_names_that_are_remembered():
    """A bounded number of names is kept, the later ones as well as the first."""
    for number in range(3 * MAX_KNOWN):
        parse(OK + b"X-%d: 1\r\nContent-Length: 0\r\n\r\n" % number)
        parse(OK + b"X-%d%b: 1\r\nContent-Length: 0\r\n\r\n" % (number, b"x" * 64))

    assert 0 < len(head._known) <= MAX_KNOWN
    assert max(map(len, head._known)) <= MAX_KNOWN_SIZE


def test_long_status_lines_are_not_remembered():
    """An application can't fill the memory with reasons."""
    for number in range(3):
        reason = b"%d" % number + b"x" * 100_000
        parse(b"HTTP/1.1 200 %b\r\nContent-Length: 0\r\n\r\n" % reason)

    assert max(map(len, head._known_status_lines)) <= MAX_KNOWN_SIZE
