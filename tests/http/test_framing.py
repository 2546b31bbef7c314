"""``framing``: where a body ends, and the readers of each kind of body."""

import tracemalloc

import pytest

from lambda_adapter.errors import PeerError
from lambda_adapter.http import framing
from lambda_adapter.http.body_parsers import (
    LEAST_VIEW,
    MOST_PARTS,
    ChunkedBody,
    LengthBody,
    NoBody,
    UntilEndBody,
)
from lambda_adapter.http.encoding import encode_chunk
from lambda_adapter.http.head import MAX_HEAD
from lambda_adapter.http.memo import MAX_KNOWN_SIZE
from lambda_adapter.http.parser import ResponseParser
from tests.responses import CHUNKED, LIMIT, OK, parse


@pytest.mark.parametrize(
    "coding",
    [
        b"chunked",
        b"Chunked",
        b"CHUNKED",
        b" chunked ",
        b"\tchunked\t",
        b"identity, chunked",
        b"chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_chunked_in_any_case(coding):
    """Transfer codings are not case-sensitive."""
    head = OK + b"Transfer-Encoding:" + coding + b"\r\n\r\n"

    assert parse(head + b"2\r\nok\r\n0\r\n\r\n")[0].body == b"ok"


@pytest.mark.parametrize(
    "field", [b"", b"Content-Length: 0\r\n", b"Content-Length: 7\r\n"]
)
def test_head_ends_the_connection(field):
    """After HEAD a connection is not reused.

    A body that comes late would be read as the next response.
    """
    assert not parse(OK + field + b"\r\n", method=b"HEAD")[1]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize(
    ("field", "reusable"),
    [
        pytest.param(b"", True, id="silent"),
        pytest.param(b"ETag: x\r\n", True, id="other"),
        pytest.param(b"Content-Length: 0\r\n", True, id="empty"),
        pytest.param(b"Content-Length: 7\r\n", False, id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", False, id="chunks"),
    ],
)
def test_no_content(status, field, reusable):
    """204 and 304 have no body; if they declare one, the connection is not reused."""
    response, persists = parse(b"HTTP/1.1 " + status + b"\r\n" + field + b"\r\n")

    assert response.body == b""
    assert persists is reusable


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
def test_keep_alive(version, connection, reusable):
    """A connection persists unless its peer closes it, or speaks HTTP/1.0."""
    head = b"HTTP/%b 200 OK\r\n%bContent-Length: 0\r\n\r\n" % (version, connection)

    assert parse(head)[1] is reusable


BOTH = [
    b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n",
    b"Content-Length: nine\r\ntransfer-encoding: Chunked\r\n",
]


@pytest.mark.parametrize("fields", BOTH)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_chunks_override_a_length(fields, method):
    """Chunks override a Content-Length, as an application may forward both."""
    data = OK + fields + b"\r\n2\r\nok\r\n0\r\n\r\n"

    response, reusable = parse(data, method=method)

    assert [name.lower() for name, _ in response.fields] == [b"transfer-encoding"]
    assert response.body == (b"ok" if method == b"GET" else b"")
    assert not reusable


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 2\r\nX: 1\r\nContent-Length: 2\r\n",
        b"X: 1\r\nContent-Length: 2, 2\r\n",
        b"X: 1\r\ncontent-length: 2,2\r\nContent-Length:2\r\n",
    ],
)
def test_repeated_length(fields):
    """A repeated Content-Length counts once; its connection is not reused."""
    response, reusable = parse(OK + fields + b"\r\nok")

    assert sorted((name.lower(), value) for name, value in response.fields) == [
        (b"content-length", b"2"),
        (b"x", b"1"),
    ]
    assert response.body == b"ok"
    assert not reusable


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Transfer-Encoding: identity\r\n", b"until the end"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", b"until"),
    ],
)
def test_identity(fields, body):
    """``identity`` means no transfer coding."""
    response, reusable = parse(OK + fields + b"\r\nuntil the end")

    assert response.body == body
    assert not reusable


@pytest.mark.parametrize(
    "coding", [b"", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunkedx", b"a\tb"]
)
def test_unknown_transfer_coding(coding):
    """An unknown transfer coding is an error: it can't be undone."""
    with pytest.raises(PeerError):
        parse(OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")


def test_long_options_are_not_remembered():
    """An application can't fill the memory with the options of a connection."""
    for number in range(3):
        options = b"x-%d" % number + b"x" * 100_000
        parse(OK + b"Connection: close, %b\r\nContent-Length: 0\r\n\r\n" % options)

    assert max(map(len, framing._known_options), default=0) <= MAX_KNOWN_SIZE


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        pytest.param(b"0\r\n\r\n", b"", id="none"),
        pytest.param(b"2\r\nok\r\n0\r\n\r\n", b"ok", id="one"),
        pytest.param(b"2\r\nok\r\n001\r\n!\r\n0\r\n\r\n", b"ok!", id="two"),
        pytest.param(b"A\r\n0123456789\r\n000\r\n\r\n", b"0123456789", id="hex"),
        pytest.param(b"2;a=b;c\r\nok\r\n0;d\r\n\r\n", b"ok", id="extensions"),
        pytest.param(b"2 ; a = b\t;\tc\r\nok\r\n0 ; d\r\n\r\n", b"ok", id="spaced"),
        pytest.param(b'2;a="; b"\r\nok\r\n0\r\n\r\n', b"ok", id="quoted"),
        pytest.param(b"2  \r\nok\r\n0 \t\r\n\r\n", b"ok", id="padded"),
        pytest.param(b"%016x\r\nok\r\n0\r\n\r\n" % 2, b"ok", id="zeros"),
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


FRAMING = {
    "chunk-extension": (b"1;", b"x=y;"),
    "trailers": (b"0\r\n", b"x: y\r\n"),
    "one-trailer": (b"0\r\nx: ", b"yyyy"),
}


@pytest.mark.parametrize(("begin", "more"), FRAMING.values(), ids=FRAMING)
def test_framing_without_end(begin, more):
    """Chunk extensions and trailers are limited, wherever they are."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n" + begin)
    piece = more * (65_000 // len(more))
    parser.feed(piece)
    parser.feed(piece)

    with pytest.raises(PeerError, match="more than 131,072 bytes of chunk"):
        parser.feed(piece)


def test_framing_between_pieces():
    """The limit of framing is for what comes in a row, not for a whole stream."""
    parser = ResponseParser(b"GET")
    parser.feed(CHUNKED)
    for _ in range(20):
        parser.feed(b"1;" + b"x=y;" * 10_000 + b"x\r\na\r\n")
        assert parser.take_body() == b"a"
    for _ in range(2 * MAX_HEAD // 6_000):
        parser.feed(b"1\r\nb\r\n" * 1_000)
        assert parser.take_body() == b"b" * 1_000

    parser.feed(b"0\r\n\r\n")

    assert parser.complete


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("place", [11, 65_536])
def test_tiny_chunks_cost_no_memory(size, place):
    """A body takes as much memory as its bytes, whatever the size of its chunks."""
    body = bytes(30_000)
    count = len(range(0, len(body), size))
    chunks = b"".join(encode_chunk((body[:size],))) * count
    parser = ResponseParser(b"GET")
    parser.feed(CHUNKED)

    tracemalloc.start()
    for start in range(0, len(chunks), place):
        parser.feed(chunks[start : start + place])
    taken, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(parser.take_body()) >= len(body)
    assert taken < 1.5 * len(body)
    assert peak < 1.5 * len(body) + 20 * place


@pytest.mark.parametrize("size", [1, LEAST_VIEW - 1, LEAST_VIEW, 70_000])
@pytest.mark.parametrize("place", [5_000, 65_536, 1_048_576])
def test_chunks_of_any_size(size, place):
    """A body is the same, whether its chunks are copied, joined or returned as views.

    However many they are, a system call can send the parts that come of them.
    """
    sent = [bytes([number]) * size for number in range(200)]
    data = b"".join(part for each in sent for part in encode_chunk((each,)))
    body = ChunkedBody()
    parts: list[bytes | memoryview] = []
    for start in range(0, len(data), place):
        received = body.feed(data[start : start + place])
        assert len(received) <= MOST_PARTS
        parts += received

    assert b"".join(parts) == b"".join(sent)


def test_large_chunk_is_not_copied():
    """A large chunk is returned as a view of the received bytes."""
    data = b"".join(encode_chunk((bytes(LEAST_VIEW),)))

    (part,) = ChunkedBody().feed(data)

    assert isinstance(part, memoryview)
    assert part.obj is data


@pytest.mark.parametrize(
    ("pieces", "expected", "excess"),
    [
        pytest.param([b"body"], [b"body"], False, id="whole"),
        pytest.param([b"b", b"od", b"y"], [b"b", b"od", b"y"], False, id="pieces"),
        pytest.param([b"bodyHTTP"], [b"body"], True, id="excess"),
        pytest.param([b"bo", b"dy!"], [b"bo", b"dy"], True, id="excess-later"),
    ],
)
def test_length(pieces, expected, excess):
    """A body with a length ends with its last byte, and accepts none after it."""
    body = LengthBody(4)

    assert [b"".join(body.feed(piece)) for piece in pieces] == expected
    assert body.complete
    assert body.excess is excess


def test_length_of_nothing():
    """A body of no bytes is complete immediately."""
    assert LengthBody(0).complete


def test_length_is_cut_off():
    """A body with a length is not complete when its connection ends before that."""
    body = LengthBody(4)
    body.feed(b"bod")

    assert not body.complete
    with pytest.raises(PeerError, match="within the body") as caught:
        body.feed_end()
    assert caught.value.answered


@pytest.mark.parametrize("data", [b"", b"x"])
def test_no_body(data):
    """A response without a body has no bytes, and any byte is in excess."""
    body = NoBody()

    assert body.complete
    assert not body.feed(data)
    assert body.excess is bool(data)


def test_until_end():
    """A body without a length ends when its connection does."""
    body = UntilEndBody()

    assert [*body.feed(b"one"), *body.feed(b"two")] == [b"one", b"two"]
    assert not body.complete
    body.feed_end()
    assert body.complete
