"""``parser``: responses out of bytes, whole or in pieces."""

import contextlib
import math
import re

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_adapter.errors import PeerError
from lambda_adapter.http.encoding import (
    LAST_CHUNK,
    encode_chunk,
    encode_last_chunk,
    encode_request,
)
from lambda_adapter.http.memo import MAX_KNOWN
from lambda_adapter.http.messages import Fields, Request, Response
from lambda_adapter.http.parser import (
    BodyTooLargeError,
    ResponseParser,
    _known_heads,
    _known_lines,
    _known_statuses,
    read_fast,
)
from tests.responses import CHUNKED, LIMIT, OK, TWO, cut, parse


def outcome(*pieces, method=b"GET"):
    """Return what comes of these pieces; errors by their kind alone."""
    try:
        return parse(*pieces, method=method)
    except PeerError as error:
        return type(error), error.answered


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


def test_encode_request():
    """A head is a request line and field lines, exactly as given, and an empty line."""
    request = Request(
        b"POST", b"/a?b", [(b"Host", b"h"), (b"x", b""), (b"X", b"\xe9 ")], b"body"
    )

    assert encode_request(request).head == (
        b"POST /a?b HTTP/1.1\r\nHost: h\r\nx: \r\nX: \xe9 \r\n\r\n"
    )


def test_encode_without_fields():
    """A head without headers ends in an empty line, too."""
    assert encode_request(Request(b"GET", b"/", [])).head == b"GET / HTTP/1.1\r\n\r\n"


def test_content_length():
    """A body of declared length ends there, and the connection persists."""
    assert parse(TWO) == (
        Response(200, b"OK", [(b"Content-Length", b"2")], b"ok"),
        True,
    )


def test_until_end():
    """A body without a declared length ends with its connection."""
    response, reusable = parse(OK + b"\r\n", b"until ", b"the end", b"")

    assert response == Response(200, b"OK", [], b"until the end")
    assert not reusable


@pytest.mark.parametrize(
    "field", [b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b""]
)
def test_head(field):
    """The response to HEAD has no body, whatever its headers declare."""
    response, _ = parse(OK + field + b"\r\n", method=b"HEAD")

    assert response.body == b""


def test_head_with_body():
    """A body after a response to HEAD is not read; its connection is not reused."""
    response, reusable = parse(TWO, method=b"HEAD")

    assert response.body == b""
    assert not reusable


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
    """Nothing of an interim response is in the final one."""
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
    """A switch to another protocol is refused, as no request asks for one."""
    with pytest.raises(PeerError):
        parse(b"HTTP/1.1 101 Switching Protocols\r\n" + head + b"\r\n")


def test_offered_upgrade_is_nothing():
    """An offered upgrade is ignored."""
    head = OK + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n"

    response, reusable = parse(head + b"ok")

    assert response.body == b"ok"
    assert reusable


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
    """A response cut at any byte is an error that says whether it had begun."""
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
    """A peer that only closes has not responded."""
    with pytest.raises(PeerError, match="without a response") as caught:
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
        pytest.param(b"HTTP/0.9 200 OK\r\n\r\n", id="version-0.9"),
        pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", id="version-2.0"),
        pytest.param(b"HTTP/3.1 200 OK\r\n\r\n", id="version-3.1"),
        pytest.param(b"RTSP/1.0 200 OK\r\n\r\n", id="rtsp"),
        pytest.param(b"ICE/1.0 200 OK\r\n\r\n", id="ice"),
        pytest.param(b"HTTP/1.1  200 OK\r\n\r\n", id="two-spaces"),
        pytest.param(b"HTTP/1.1 200OK\r\n\r\n", id="no-space"),
        pytest.param(b"HTTP/1.1 200 O\x01K\r\n\r\n", id="control-in-reason"),
        pytest.param(OK + b": empty\r\n\r\n", id="no-name"),
        pytest.param(OK + b"X: a\x7f\r\n\r\n", id="delete"),
        pytest.param(OK + b"X: a\n folded\n\n", id="folded-line-feed"),
        pytest.param(OK + b"X: a\rb\n\n", id="bare-cr-line-feed"),
        pytest.param(OK + b"Content-Length:\r\n\r\n", id="empty-length"),
        pytest.param(OK + b"Content-Length: 2,\r\n\r\nok", id="half-a-list"),
        pytest.param(OK + b"Content-Length: 2, 3\r\n\r\nok", id="other-list"),
        pytest.param(CHUNKED + b"2\r\nok\r\n0\r\nX A: 1\r\n\r\n", id="trailer"),
        pytest.param(CHUNKED + b"0\r\nX: a\n\r\n", id="trailer-line-feed"),
        pytest.param(CHUNKED + b"2;a\0=b\r\nok\r\n0\r\n\r\n", id="extension-nul"),
        pytest.param(OK + b"no colon\r\n\r\n", id="no-colon"),
        pytest.param(OK + b"X : 1\r\n\r\n", id="space-before-colon"),
        pytest.param(OK + b"X: a\0b\r\n\r\n", id="nul"),
        pytest.param(OK + b"X: a\rb\r\n\r\n", id="bare-cr"),
        pytest.param(OK + b"X: a\r\n folded\r\n\r\n", id="folded"),
        pytest.param(OK + b"\xffX: a\r\n\r\n", id="name"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative"),
        pytest.param(OK + b"Content-Length: +2\r\n\r\nok", id="plus"),
        pytest.param(OK + b"Content-Length: 0x2\r\n\r\nok", id="hexadecimal"),
        pytest.param(OK + b"Content-Length: %d\r\n\r\n" % 2**64, id="overflow"),
        pytest.param(
            OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="other-lengths"
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
    """Bytes that are not HTTP/1.1, or are ambiguous, are an error immediately."""
    parser = ResponseParser(b"GET", LIMIT)

    with pytest.raises(PeerError):
        parser.feed(data)

    assert parser.answered
    assert not parser.reusable


def test_status_is_known_before_the_body():
    """The status is known before the body."""
    parser = ResponseParser(b"GET", LIMIT)

    parser.feed(OK + b"Content-Length: 2\r\n\r\n")

    assert parser.status == 200
    assert not parser.complete
    assert not parser.reusable


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
    """A body of exactly the limit is accepted, and one byte more is too large."""
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
    """Byte by byte or in two pieces, a response is parsed as if it were whole."""
    data = STREAMS[name]
    whole = outcome(data, method=method)

    assert outcome(*cut(data, *range(len(data))), method=method) == whole
    for place in range(0, len(data), max(1, len(data) // 60)):
        assert outcome(*cut(data, place), method=method) == whole


@given(data=st.data())
def test_cuts_anywhere(data):
    """Two responses in a row are read the same, in whatever pieces they arrive."""
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
    """Any response is parsed as it was sent, by length or in chunks."""
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


CONTROLS = {*range(0x09), *range(0x0A, 0x20), 0x7F}


class Llhttp:
    """What another parser, llhttp in its strict mode, makes of a response."""

    def __init__(self, data: bytes) -> None:
        self.outcome: tuple[int, bytes, Fields, bytes] | None = None
        self._reason = b""
        self._fields: Fields = []
        self._body = b""
        self.is_odd = False
        self._parser = httptools.HttpResponseParser(self)
        with contextlib.suppress(
            httptools.HttpParserError, httptools.HttpParserUpgrade
        ):
            self._parser.feed_data(data)

    def on_status(self, reason: bytes) -> None:
        self._reason += reason
        self.is_odd = self.is_odd or bool(set(reason) & CONTROLS)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._head = list(self._fields)

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and not self.outcome and self._version() in {"1.0", "1.1"}:
            self.outcome = status, self._reason, self._head, self._body
        self._reason, self._fields, self._body = b"", [], b""

    def _version(self) -> str:
        return str(self._parser.get_http_version())


EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 3),
        st.one_of(
            st.binary(max_size=3),
            st.sampled_from(
                [
                    b"\r\n",
                    b"\n",
                    b"\r",
                    b":",
                    b" ",
                    b"\t",
                    b";",
                    b"0",
                    b"Content-Length",
                ]
            ),
        ),
    ),
    max_size=3,
)


def edited(data, edits):
    """Return data in which some bytes are replaced by others."""
    for place, size, new in edits:
        start = int(place * len(data))
        data = data[:start] + new + data[start + size :]
    return data


STRAY_CR = re.compile(rb"\A[\r\n]*\r(?!\n)|\n\r?\n[\r\n]*\r(?!\n)[\r\n]*HTTP/")
"""A carriage return alone before a response, the first one or that after an interim."""


@given(name=st.sampled_from(sorted(STREAMS)), edits=EDITS)
@settings(max_examples=1_000)
def test_all_that_llhttp_reads(name, edits):
    """What llhttp reads as a whole response is read the same.

    Control characters in a reason or before a response are the exception: nobody else
    takes them.
    """
    data = edited(STREAMS[name], edits)
    read = Llhttp(data)
    theirs = read.outcome
    if theirs is None or read.is_odd or STRAY_CR.search(data):
        return
    status, reason, fields, body = theirs

    response, _ = parse(data, limit=math.inf)

    assert (response.status, response.reason) == (status, reason)
    assert response.fields == fields
    assert response.body == body


@given(name=st.sampled_from(sorted(STREAMS)), edits=EDITS)
@settings(max_examples=1_000)
def test_nothing_but_what_llhttp_reads(name, edits):
    """What the parser reads, llhttp reads as well, once it is framed plainly."""
    try:
        response, _ = parse(edited(STREAMS[name], edits), limit=math.inf)
    except PeerError:
        return
    framing = {b"content-length", b"transfer-encoding", b"connection", b"upgrade"}
    fields = [field for field in response.fields if field[0].lower() not in framing]
    lines = [b"HTTP/1.1 %d %b" % (response.status, response.reason)]
    lines += [b": ".join(field) for field in fields]
    if response.status not in {204, 304}:
        lines.append(b"Content-Length: %d" % len(response.body))
    data = b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)

    theirs = Llhttp(data).outcome

    assert theirs
    assert theirs[:2] == (response.status, response.reason)
    assert theirs[2][: len(fields)] == fields
    assert theirs[3] == response.body


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


def chunk(piece: bytes) -> bytes:
    """Return a chunk as it is sent."""
    return b"".join(encode_chunk((piece,)))


@given(pieces=st.lists(st.binary(min_size=1, max_size=300)))
def test_encode_chunk(pieces):
    """Each piece is a separate chunk, whatever its content."""
    frames = [chunk(piece) for piece in pieces]

    assert Chunked(*frames).pieces == pieces
    assert not Chunked(*frames).complete


@pytest.mark.parametrize("size", [1, 9, 10, 15, 16, 255, 65_536, 1_048_577])
def test_encode_chunk_size(size):
    """A chunk's size is in hexadecimal."""
    data = b"\r\n0" * size

    assert chunk(data[:size]) == b"%x\r\n" % size + data[:size] + b"\r\n"
    assert b"".join(Chunked(chunk(data[:size])).pieces) == data[:size]


def test_encode_chunk_copies_nothing():
    """A piece of a body is itself a part of its chunk, however large."""
    piece = b"x" * 1_000_000

    assert any(part is piece for part in encode_chunk((piece,)))


@given(fields=FIELDS)
def test_encode_last_chunk(fields):
    """A body ends in a trailer section, which is not part of it."""
    parsed = Chunked(chunk(b"body"), encode_last_chunk(fields))

    assert parsed.complete
    assert parsed.pieces == [b"body"]
    assert parsed.fields == fields


def test_last_chunk():
    """Without trailers, the last chunk is five bytes."""
    assert encode_last_chunk([]) == LAST_CHUNK == b"0\r\n\r\n"
    assert Chunked(LAST_CHUNK).complete


def test_take_body():
    """A taken body is released; later bytes are returned later."""
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
    """The parser reads what our encoder framed, in pieces of any size."""
    chunks: list[bytes] = []
    rest = body
    for size in [*sizes, len(body)]:
        chunks, rest = [*chunks, rest[:size]], rest[size:]
    data = b"".join(chunk(piece) for piece in chunks if piece)
    data = CHUNKED + data + encode_last_chunk([(b"X-T", b"1")])

    pieces = cut(data, *(place for place in places if place < len(data)))

    assert streamed(*pieces) == (200, body, True)


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
    assert (read_fast(data, math.inf), True) == parse(data, limit=math.inf)


def test_no_response_shares_its_fields():
    """Changing the headers of one response changes no other response."""
    first, second = read_fast(TWO, math.inf), read_fast(TWO, math.inf)

    assert first
    assert second
    assert first.fields == second.fields
    assert first.fields is not second.fields


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_odd_response(data):
    """The fast path declines an odd response each time."""
    assert read_fast(data, math.inf) is None
    assert read_fast(data, math.inf) is None


def test_large_body():
    """A body over the limit is left to the parser."""
    assert read_fast(TWO, 2)
    assert read_fast(TWO, 1) is None


@given(name=st.sampled_from(sorted(STREAMS | PLAIN)), edits=EDITS)
@settings(max_examples=1_000)
def test_nothing_but_what_the_parsers_read(name, edits):
    """The fast path, the parser and llhttp agree."""
    data = edited((STREAMS | PLAIN)[name], edits)
    response = read_fast(data, math.inf)
    if response is None:
        return

    assert (response, True) == parse(data, limit=math.inf)
    theirs = Llhttp(data).outcome
    said = (response.status, response.reason, response.fields, response.body)
    assert theirs == said


def test_memory_is_bounded_and_holds_no_secret():
    """Only lines of a few headers are kept, and a bounded number of them."""
    for number in range(3 * MAX_KNOWN):
        secret = b"Set-Cookie: session=%d\r\nX-Token: %d\r\n" % (number, number)
        named = b"Content-Type: text/x-%d\r\nContent-Length: 2\r\n\r\nok" % number
        assert read_fast(OK + secret + named, math.inf)

    assert len(_known_lines) <= MAX_KNOWN
    assert len(_known_statuses) <= MAX_KNOWN
    assert len(_known_heads) <= MAX_KNOWN
    kept = b"".join([*_known_lines, *_known_heads]).lower()
    assert b"text/x-" in kept
    assert b"session" not in kept
    assert b"token" not in kept
