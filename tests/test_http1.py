"""HTTP/1.1 as bytes: a peer that may send anything, in pieces of any size."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.errors import PeerError
from lambda_adapter.http1 import (
    LAST_CHUNK,
    MAX_HEAD,
    BodyTooLargeError,
    ResponseParser,
    encode_chunk,
    encode_head,
    encode_last_chunk,
)
from lambda_adapter.messages import Request, Response

LIMIT = 1_000
OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\nok"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def parse(*pieces, method=b"GET"):
    """Feed a parser as a connection does: until it is complete, then no more.

    Bytes that nobody reads any more keep a connection from being reused as well; an
    empty line between two responses means nothing to either.
    """
    parser = ResponseParser(method, LIMIT)
    waiting = list(pieces)
    while not parser.complete:
        parser.feed(waiting.pop(0) if waiting else b"")
    unread = b"".join(waiting).strip(b"\r\n")
    response = parser.response(parser.take_body())
    return response, parser.reusable and not unread


def outcome(*pieces, method=b"GET"):
    """Return what comes of these pieces; errors by their kind alone."""
    try:
        return parse(*pieces, method=method)
    except PeerError as error:
        return type(error), error.answered


def cut(data, *places):
    """Return data in pieces."""
    ends = [*sorted(set(places)), len(data)]
    starts = [0, *ends]
    return [data[a:b] for a, b in zip(starts, ends, strict=False) if a < b]


SWITCHING = b"HTTP/1.1 101 S\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"

STREAMS = {
    "length": TWO,
    "length-zero": OK + b"Content-Length: 0\r\n\r\n",
    "chunked": CHUNKED + b"2\r\nok\r\n3;a=b\r\n...\r\n0\r\nX-Trailer: 1\r\n\r\n",
    "until-end": OK + b"Content-Type: text/plain\r\n\r\nuntil the end",
    "http-1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + TWO,
    "switched": SWITCHING + b"xy",
    "no-content": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "not-modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    "excess": TWO + b"excess",
    "excess-line": TWO + b"\r\n",
    "two": TWO + b"HTTP/1.1 404 Not Found\r\nX-B: 2\r\nContent-Length: 1\r\n\r\nx",
    "two-chunked": CHUNKED + b"1\r\na\r\n0\r\n\r\n" + CHUNKED + b"1\r\nb\r\n0\r\n\r\n",
    "switched-after": TWO + SWITCHING,
    "interim-after": TWO + b"HTTP/1.1 100 Continue\r\n\r\n",
    "closes": OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
    "bad-chunk": CHUNKED + b"2\r\nok\r\nzz\r\n\r\n",
    "bad-field": OK + b"X A: 1\r\n\r\n",
    "status-999": b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00garbage",
    "empty": b"",
    "body-over-limit": OK + b"Content-Length: 1001\r\n\r\n" + b"a" * 1001,
    "chunks-over-limit": CHUNKED
    + b"1f4\r\n"
    + b"a" * 500
    + b"\r\n1f5\r\n"
    + b"a" * 501,
}


def test_encode_head():
    """A head is a request line and field lines, exactly as given, and an empty line."""
    request = Request(
        b"POST", b"/a?b", [(b"Host", b"h"), (b"x", b""), (b"X", b"\xe9 ")], b"body"
    )

    assert encode_head(request) == (
        b"POST /a?b HTTP/1.1\r\nHost: h\r\nx: \r\nX: \xe9 \r\n\r\n"
    )


def test_encode_head_without_fields():
    """A head without fields ends all the same."""
    assert encode_head(Request(b"GET", b"/", [])) == b"GET / HTTP/1.1\r\n\r\n"


def test_content_length():
    """A body of stated length ends there, and the connection goes on."""
    assert parse(TWO) == (
        Response(200, b"OK", [(b"Content-Length", b"2")], b"ok"),
        True,
    )


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        pytest.param(b"0\r\n\r\n", b"", id="none"),
        pytest.param(b"2\r\nok\r\n0\r\n\r\n", b"ok", id="one"),
        pytest.param(b"2\r\nok\r\n001\r\n!\r\n0\r\n\r\n", b"ok!", id="two"),
        pytest.param(b"A\r\n0123456789\r\n000\r\n\r\n", b"0123456789", id="hex"),
        pytest.param(b"2;a=b;c\r\nok\r\n0;d\r\n\r\n", b"ok", id="extensions"),
        pytest.param(b"2\r\nok\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", b"ok", id="trailers"),
        pytest.param(b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n", id="line-breaks"),
    ],
)
def test_chunked(chunks, body):
    """A chunked body loses its chunks, their extensions and its trailers."""
    response, reusable = parse(CHUNKED + chunks)

    assert response.body == body
    assert response.fields == [(b"Transfer-Encoding", b"chunked")]
    assert reusable


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"CHUNKED", b" chunked "])
def test_chunked_in_any_case(coding):
    """Transfer codings have no case."""
    head = OK + b"Transfer-Encoding:" + coding + b"\r\n\r\n"

    assert parse(head + b"2\r\nok\r\n0\r\n\r\n")[0].body == b"ok"


def test_until_end():
    """A body of no stated length ends with its connection."""
    response, reusable = parse(OK + b"\r\n", b"until ", b"the end", b"")

    assert response == Response(200, b"OK", [], b"until the end")
    assert not reusable


@pytest.mark.parametrize(
    "field", [b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b""]
)
def test_head(field):
    """The answer to HEAD has no body, whatever its fields say of one."""
    response, _ = parse(OK + field + b"\r\n", method=b"HEAD")

    assert response.body == b""


@pytest.mark.parametrize("length", [b"0", b"7"])
def test_head_leaves_the_connection(length):
    """An answer to HEAD ends with its head, so the connection goes on."""
    data = OK + b"Content-Length: " + length + b"\r\n\r\n"

    assert parse(data, method=b"HEAD")[1]


def test_head_with_body():
    """A body that follows all the same is not read, and its connection not reused."""
    response, reusable = parse(TWO, method=b"HEAD")

    assert response.body == b""
    assert not reusable


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("field", [b"", b"Content-Length: 7\r\n", b"ETag: x\r\n"])
def test_no_content(status, field):
    """These have no body, whatever their fields say of one."""
    response, reusable = parse(b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\n")

    assert response.body == b""
    assert reusable


@pytest.mark.parametrize(
    "interim",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="100"),
        pytest.param(b"HTTP/1.1 102 Processing\r\nX-A: 1\r\n\r\n", id="102"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", id="103"),
        pytest.param(b"HTTP/1.1 199 Odd\r\n\r\n", id="199"),
        pytest.param(b"HTTP/1.1 100\r\n\r\n" * 50, id="several"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_interim_is_swallowed(interim, method):
    """An interim response is none: nothing of it is in the final one."""
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    assert parse(interim + head, method=method) == parse(head, method=method)


def test_interim_alone():
    """After an interim response the final one is waited for."""
    parser = ResponseParser(b"GET", LIMIT)

    parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n")

    assert not parser.complete
    assert parser.status == 0
    with pytest.raises(PeerError, match="within the head"):
        parser.feed(b"")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Upgrade: websocket\r\nConnection: upgrade\r\n", id="upgrade"),
        pytest.param(b"", id="bare"),
    ],
)
def test_switching_protocols_is_refused(head):
    """Nobody asked for another protocol."""
    with pytest.raises(PeerError):
        parse(b"HTTP/1.1 101 Switching Protocols\r\n" + head + b"\r\n")


def test_offered_upgrade_is_nothing():
    """A peer may say what else it speaks."""
    head = OK + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n"

    response, reusable = parse(head + b"ok")

    assert response.body == b"ok"
    assert reusable


@pytest.mark.parametrize(
    ("version", "connection", "reusable"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: keep-alive\r\n", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"connection: CLOSE\r\n", False),
        (b"1.1", b"Connection: x-a, close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"Connection: close\r\n", False),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_keep_alive(version, connection, reusable, method):
    """A connection goes on unless its peer says otherwise, or is too old to say so."""
    head = b"HTTP/%b 200 OK\r\n%bContent-Length: 0\r\n\r\n" % (version, connection)

    assert parse(head, method=method)[1] is reusable


@pytest.mark.parametrize(
    "excess",
    [
        pytest.param(b"x", id="byte"),
        pytest.param(b"\xff\0", id="garbage"),
        pytest.param(TWO, id="response"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nX: 1\r\n\r\nnot", id="other"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="interim"),
        pytest.param(SWITCHING, id="switch"),
        pytest.param(b"HTTP/1.1 999 No\r\n\r\n", id="bad-status"),
        pytest.param(OK + b"Content-Length: 9999\r\n\r\n" + b"a" * 9999, id="large"),
    ],
)
@pytest.mark.parametrize(
    ("data", "method"),
    [
        pytest.param(TWO, b"GET", id="length"),
        pytest.param(CHUNKED + b"2\r\nok\r\n0\r\n\r\n", b"GET", id="chunked"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", b"GET", id="no-content"),
        pytest.param(OK + b"\r\n", b"HEAD", id="head"),
    ],
)
def test_excess(data, method, excess):
    """What follows a response changes nothing in it, but ends its connection's use."""
    response, reusable = parse(data + excess, method=method)

    assert response == parse(data, method=method)[0]
    assert not reusable


@pytest.mark.parametrize("name", ["length", "chunked", "interim", "http-1.0"])
def test_truncated(name):
    """A response cut off at any byte is an error, and says whether it had begun."""
    data = STREAMS[name]

    for end in range(len(data)):
        with pytest.raises(PeerError) as caught:
            parse(data[:end])
        assert caught.value.answered is (end > 0)


def test_truncated_chunks():
    """A chunked body that is cut off is never taken for a whole one."""
    data = CHUNKED + b"2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"

    for end in range(len(CHUNKED), len(data)):
        with pytest.raises(PeerError, match="within the body"):
            parse(data[:end])


def test_closed_without_answer():
    """A peer that only closes has not answered."""
    with pytest.raises(PeerError, match="without an answer") as caught:
        parse(b"")

    assert not caught.value.answered


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"garbage\r\n\r\n", id="text"),
        pytest.param(b"\x16\x03\x01\x00\xee\x01", id="tls"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="ssh"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", id="request"),
        pytest.param(b"HTTP/1.1 OK\r\n\r\n", id="no-status"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n", id="two-digits"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="four-digits"),
        pytest.param(b"HTTP/3.1 200 OK\r\n\r\n", id="version"),
        pytest.param(OK + b"no colon\r\n\r\n", id="no-colon"),
        pytest.param(OK + b"X : 1\r\n\r\n", id="space-before-colon"),
        pytest.param(OK + b"X: a\0b\r\n\r\n", id="nul"),
        pytest.param(OK + b"X: a\rb\r\n\r\n", id="bare-cr"),
        pytest.param(OK + b"X: a\r\n folded\r\n\r\n", id="folded"),
        pytest.param(OK + b"\xffX: a\r\n\r\n", id="name"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative"),
        pytest.param(OK + b"Content-Length: +2\r\n\r\nok", id="plus"),
        pytest.param(OK + b"Content-Length: 2, 2\r\n\r\nok", id="list"),
        pytest.param(OK + b"Content-Length: 0x2\r\n\r\nok", id="hexadecimal"),
        pytest.param(OK + b"Content-Length: %d\r\n\r\n" % 2**64, id="overflow"),
        pytest.param(
            OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", id="two-lengths"
        ),
        pytest.param(
            OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="other-lengths"
        ),
        pytest.param(
            OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="length-and-chunks",
        ),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
            id="chunks-and-length",
        ),
        pytest.param(CHUNKED + b"zz\r\nok\r\n", id="chunk-size"),
        pytest.param(CHUNKED + b"-2\r\nok\r\n0\r\n\r\n", id="chunk-negative"),
        pytest.param(CHUNKED + b"\r\nok\r\n0\r\n\r\n", id="chunk-without-size"),
        pytest.param(CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n", id="chunk-prefix"),
        pytest.param(CHUNKED + b"f" * 17 + b"\r\n", id="chunk-overflow"),
        pytest.param(CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", id="chunk-too-long"),
        pytest.param(CHUNKED + b"2\nok\n0\n\n", id="chunk-line-feed"),
    ],
)
def test_not_http(data):
    """What is not HTTP/1.1, or could be read in two ways, is an error at once."""
    parser = ResponseParser(b"GET", LIMIT)

    with pytest.raises(PeerError):
        parser.feed(data)

    assert parser.answered
    assert not parser.reusable


@pytest.mark.parametrize(
    "coding", [b"gzip", b"gzip, chunked", b"chunked, gzip", b"identity", b"chunkedx"]
)
def test_unknown_transfer_coding(coding):
    """Nobody asked for a transfer coding, and one that is not known can't be undone."""
    with pytest.raises(PeerError):
        parse(OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("status", [b"000", b"001", b"099", b"600", b"999"])
def test_status_that_is_none(status):
    """A status is from 100 to 599, and no other is waited upon or passed on."""
    parser = ResponseParser(b"GET", LIMIT)

    with pytest.raises(PeerError):
        parser.feed(b"HTTP/1.1 " + status + b" Odd\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize("status", [200, 299, 300, 418, 499, 500, 599])
def test_status(status):
    """A final status is passed on, known or not."""
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
    """A reason is what is after the status, if anything."""
    assert parse(line + b"\r\nContent-Length: 0\r\n\r\n")[0].reason == reason


def test_fields():
    """Fields keep their case, order, duplicates and bytes, and lose white space."""
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


def test_status_is_known_before_the_body():
    """A readiness check needs no more than the status."""
    parser = ResponseParser(b"GET", LIMIT)

    parser.feed(OK + b"Content-Length: 2\r\n\r\n")

    assert parser.status == 200
    assert not parser.complete
    assert not parser.reusable


OVER = {
    "one-field": OK + b"X: " + b"a" * MAX_HEAD + b"\r\nContent-Length: 0\r\n\r\n",
    "many-fields": OK + b"X: abc\r\n" * (MAX_HEAD // 8) + b"Content-Length: 0\r\n\r\n",
    "reason": b"HTTP/1.1 200 " + b"a" * MAX_HEAD + b"\r\nContent-Length: 0\r\n\r\n",
    "many-interim": b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_HEAD // 25 + 1) + TWO,
}


@pytest.mark.parametrize("size", [1_024, 65_536, 10**6], ids=["1k", "64k", "whole"])
@pytest.mark.parametrize("name", OVER)
def test_head_over_limit(name, size):
    """A head has a limit, and it is the same however the head arrives."""
    data = OVER[name]

    with pytest.raises(PeerError, match="head of its answer is over 131,072 bytes"):
        parse(*cut(data, *range(0, len(data), size)))


FRAMING = {
    "chunk-extension": (b"1;", b"x=y;"),
    "trailers": (b"0\r\n", b"x: y\r\n"),
    "one-trailer": (b"0\r\nx: ", b"yyyy"),
}


@pytest.mark.parametrize(("begin", "more"), FRAMING.values(), ids=FRAMING)
def test_framing_without_end(begin, more):
    """What is neither head nor body has a limit as well, wherever it comes."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n" + begin)
    piece = more * (65_000 // len(more))
    parser.feed(piece)
    parser.feed(piece)

    with pytest.raises(PeerError, match="over 131,072 bytes of its answer are no body"):
        parser.feed(piece)


def test_framing_between_pieces():
    """A body in many chunks has more framing than that in all, and is a body."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        parser.feed(b"1;" + b"x=y;" * 10_000 + b"x\r\na\r\n")
    parser.feed(b"0\r\n\r\n")

    assert parser.take_body() == b"a" * 20


def test_head_without_end():
    """A head that never ends is given up."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK)

    for _ in range(127):
        parser.feed(b"X-A: 1\r\n" * 128)

    with pytest.raises(PeerError, match="over 131,072 bytes"):
        parser.feed(b"X-A: 1\r\n" * 128)


@pytest.mark.parametrize("size", [1_024, 65_536, 10**6], ids=["1k", "64k", "whole"])
def test_head_at_limit(size):
    """A head of exactly the limit is taken."""
    start, end = OK + b"X: ", b"\r\nContent-Length: 2\r\n\r\n"
    head = start + b"a" * (MAX_HEAD - len(start) - len(end)) + end

    response, _ = parse(*cut(head + b"ok", *range(0, len(head), size)))

    assert response.body == b"ok"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(OK + b"Content-Length: %d\r\n\r\n", id="length"),
        pytest.param(CHUNKED + b"%x\r\n", id="chunked"),
        pytest.param(OK + b"\r\n", id="until-end"),
    ],
)
@pytest.mark.parametrize("excess", [0, 1])
def test_body_limit(head, excess):
    """A body of the limit is taken, and one byte more is a fault of size."""
    size = LIMIT + excess
    data = (head % size if b"%" in head else head) + b"a" * size
    data += b"\r\n0\r\n\r\n" if head.startswith(CHUNKED) else b""

    if excess:
        with pytest.raises(BodyTooLargeError, match="over 1,000 bytes") as caught:
            parse(data)
        assert caught.value.answered
    else:
        assert parse(data)[0].body == b"a" * LIMIT


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_cuts_at_every_byte(name, method):
    """Byte by byte, or in two pieces cut anywhere, the outcome is that of the whole."""
    data = STREAMS[name]
    whole = outcome(data, method=method)

    assert outcome(*cut(data, *range(len(data))), method=method) == whole
    for place in range(0, len(data), max(1, len(data) // 60)):
        assert outcome(*cut(data, place), method=method) == whole


@given(data=st.data())
def test_cuts_anywhere(data):
    """The same for any pieces of any two streams, one after the other."""
    names = st.sampled_from(sorted(STREAMS))
    stream = STREAMS[data.draw(names)] + STREAMS[data.draw(names)]
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))

    assert outcome(*cut(stream, *places)) == outcome(stream)


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [
                b"HTTP/1.1 ",
                b"200 OK",
                b"100 C",
                b"\r\n",
                b"\r\n\r\n",
                b"Content-Length: ",
                b"Transfer-Encoding: chunked",
                b"Connection: close",
                b"X: ",
                b"2",
                b"0",
                b"ok",
                OK,
                TWO,
                CHUNKED,
            ]
        ),
    ),
    max_size=12,
)


@given(pieces=PIECES)
def test_garbage(pieces):
    """Anything at all is a response or a PeerError, however it is cut."""
    pieces = [piece for piece in pieces if piece]

    assert outcome(*pieces) == outcome(b"".join(pieces))


FIELDS = st.lists(
    st.tuples(
        st.text("abcXYZ-_!~09", min_size=1, max_size=9).map(lambda n: f"X{n}".encode()),
        st.binary(max_size=20).map(
            lambda value: bytes(b for b in value if b >= 32 and b != 127).strip()
        ),
    ),
    max_size=5,
)


@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    fields=FIELDS,
    body=st.binary(),
    sizes=st.lists(st.integers(1, 40)),
    places=st.lists(st.integers(0, 500), max_size=5),
)
def test_any_response(status, fields, body, sizes, places):
    """Whatever a peer says in HTTP is what is heard, by length or in chunks."""
    head = b"HTTP/1.1 %d A reason\r\n" % status
    head += b"".join(name + b":" + value + b"\r\n" for name, value in fields)
    rest = body
    chunks: list[bytes] = []
    for size in [*sizes, len(body)]:
        chunks, rest = [*chunks, rest[:size]], rest[size:]
    by_length = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    chunked += b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks if c)
    chunked += b"0\r\n\r\n"

    for data in (by_length, chunked):
        response, reusable = parse(*cut(data, *(p for p in places if p < len(data))))

        assert (response.status, response.reason) == (status, b"A reason")
        assert response.fields[:-1] == fields
        assert response.body == body
        assert reusable


class Chunked:
    """What another parser makes of the chunks of a request."""

    def __init__(self, *frames: bytes) -> None:
        self.pieces: list[bytes] = []
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = False
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.fields.clear()
        for frame in frames:
            assert not self.complete
            parser.feed_data(frame)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, data: bytes) -> None:
        self.pieces.append(data)

    def on_message_complete(self) -> None:
        self.complete = True


@given(pieces=st.lists(st.binary(min_size=1, max_size=300)))
def test_encode_chunk(pieces):
    """Each piece is a chunk of its own, whatever is in it."""
    frames = [encode_chunk(piece) for piece in pieces]

    assert Chunked(*frames).pieces == pieces
    assert not Chunked(*frames).complete


@pytest.mark.parametrize("size", [1, 9, 10, 15, 16, 255, 65_536, 1_048_577])
def test_encode_chunk_size(size):
    """A chunk says its size in hexadecimal."""
    data = b"\r\n0" * size

    assert encode_chunk(data[:size]) == b"%x\r\n" % size + data[:size] + b"\r\n"
    assert b"".join(Chunked(encode_chunk(data[:size])).pieces) == data[:size]


@given(fields=FIELDS)
def test_encode_last_chunk(fields):
    """A body ends in a trailer section, which is no part of it."""
    parsed = Chunked(encode_chunk(b"body"), encode_last_chunk(fields))

    assert parsed.complete
    assert parsed.pieces == [b"body"]
    assert parsed.fields == fields


def test_last_chunk():
    """Without trailers, the last chunk is five bytes."""
    assert encode_last_chunk([]) == LAST_CHUNK == b"0\r\n\r\n"
    assert Chunked(LAST_CHUNK).complete


def test_take_body():
    """A body that is taken is let go of; what comes next is what comes next."""
    parser = ResponseParser(b"GET")
    taken = []

    for data in (OK + b"Content-Length: 6\r\n\r\n", b"one", b"two"):
        parser.feed(data)
        taken += [parser.take_body(), parser.take_body()]

    assert taken == [b"", b"", b"one", b"", b"two", b""]
    assert parser.complete
    assert parser.reusable


def test_take_body_of_chunks():
    """A piece has what came since the last one, without its chunks."""
    parser = ResponseParser(b"GET")
    taken = []

    for data in (CHUNKED + b"2\r\nok\r\n3\r\n", b"!", b"!!", b"\r\n0\r\n\r\n"):
        parser.feed(data)
        taken.append(parser.take_body())

    assert taken == [b"ok", b"!", b"!!", b""]
    assert parser.complete


def test_take_body_before_a_fault():
    """What came of a body before it broke off is still there."""
    parser = ResponseParser(b"GET")
    parser.feed(OK + b"Content-Length: 6\r\n\r\none")

    with pytest.raises(PeerError, match="within the body") as caught:
        parser.feed(b"")

    assert parser.take_body() == b"one"
    assert caught.value.answered


def test_body_without_limit():
    """A body that is taken piece by piece may be of any size."""
    parser = ResponseParser(b"GET")
    parser.feed(OK + b"Content-Length: 50000000\r\n\r\n")

    for _ in range(50):
        parser.feed(bytes(1_000_000))
        assert len(parser.take_body()) == 1_000_000

    assert parser.complete


def streamed(*pieces, method=b"GET"):
    """Return what a stream makes of these pieces: status, body, how it ended."""
    parser = ResponseParser(method)
    waiting = list(pieces)
    body = b""
    try:
        while not parser.complete:
            parser.feed(waiting.pop(0) if waiting else b"")
            body += parser.take_body()
    except PeerError:
        # What was in front of a fault may be lost with the piece that holds it.
        return parser.status, None, False
    return parser.status, body, True


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_stream_cut_at_every_byte(name, method):
    """Taken piece by piece, a body is the same however it was cut."""
    data = STREAMS[name]
    whole = streamed(data, method=method)

    assert streamed(*cut(data, *range(len(data))), method=method) == whole
    for place in range(0, len(data), max(1, len(data) // 60)):
        assert streamed(*cut(data, place), method=method) == whole


@given(
    body=st.binary(max_size=400),
    sizes=st.lists(st.integers(1, 40)),
    places=st.lists(st.integers(0, 900), max_size=8),
)
def test_any_stream(body, sizes, places):
    """Whatever is framed here is what is read, in pieces of any size."""
    chunks: list[bytes] = []
    rest = body
    for size in [*sizes, len(body)]:
        chunks, rest = [*chunks, rest[:size]], rest[size:]
    data = b"".join(encode_chunk(chunk) for chunk in chunks if chunk)
    data = CHUNKED + data + encode_last_chunk([(b"X-T", b"1")])

    pieces = cut(data, *(place for place in places if place < len(data)))

    assert streamed(*pieces) == (200, body, True)
