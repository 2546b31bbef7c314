"""``chunked``: a body in chunks of any size, however it arrives."""

import tracemalloc

import pytest

from lambda_adapter.http.encoding import encode_chunk
from lambda_adapter.http.head import MAX_HEAD
from lambda_adapter.http.http1 import ResponseParser
from lambda_adapter.http.peer_error import PeerError
from tests.responses import CHUNKED, LIMIT, OK, parse


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
    """What is neither head nor body has a limit as well, wherever it comes."""
    parser = ResponseParser(b"GET", LIMIT)
    parser.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n" + begin)
    piece = more * (65_000 // len(more))
    parser.feed(piece)
    parser.feed(piece)

    with pytest.raises(PeerError, match="more than 131,072 bytes of chunk"):
        parser.feed(piece)


def test_framing_between_pieces():
    """A long stream in small chunks has more framing than that, but never in a row."""
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
    chunks = b"".join(encode_chunk(body[:size]) for _ in range(0, len(body), size))
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
