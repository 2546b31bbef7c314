"""Compressing a whole response."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.compression import LEAST, compress
from lambda_adapter.messages import Request, Response

TEXT = b"text " * LEAST
HTML = (b"Content-Type", b"text/html")


def ask(*accepted: bytes) -> Request:
    fields = [(b"Accept-Encoding", value) for value in accepted]
    return Request(b"GET", b"/", [(b"host", b"a"), *fields])


def answer(*fields: tuple[bytes, bytes], body: bytes = TEXT, status: int = 200):
    return Response(status, b"OK", list(fields), body)


def test_compressed():
    """The body is gzip, and the fields tell of it; the rest stays."""
    response = compress(
        ask(b"gzip, br"),
        answer(
            HTML,
            (b"Content-Length", b"%d" % len(TEXT)),
            (b"ETag", b'"a"'),
            (b"Accept-Ranges", b"bytes"),
            (b"X-A", b"b"),
        ),
    )

    assert isinstance(response.body, bytes)
    assert gzip.decompress(response.body) == TEXT
    assert response.fields == [
        HTML,
        (b"Content-Length", b"%d" % len(response.body)),
        (b"ETag", b'W/"a"'),
        (b"X-A", b"b"),
        (b"vary", b"accept-encoding"),
        (b"content-encoding", b"gzip"),
    ]


@given(body=st.binary(min_size=LEAST))
def test_every_byte_comes_back(body):
    """Whatever the body, its client gets it."""
    response = compress(ask(b"gzip"), answer(HTML, body=body))

    assert isinstance(response.body, bytes)
    assert gzip.decompress(response.body) == body


@pytest.mark.parametrize(
    ("accepted", "is_accepted"),
    [
        ([b"gzip"], True),
        ([b"GZip;q=0.1"], True),
        ([b"br", b"gzip"], True),
        ([b"*"], True),
        ([b"*;q=0, gzip"], True),
        ([b"x-gzip"], True),
        ([], False),
        ([b""], False),
        ([b"br, deflate"], False),
        ([b"gzip;q=0"], False),
        ([b"gzip; q=0.000, *"], False),
        ([b"*;q=0"], False),
        ([b"gzipped"], False),
    ],
)
def test_accepted(accepted, is_accepted):
    """Only who accepts gzip gets it; caches are told either way."""
    response = compress(ask(*accepted), answer(HTML))

    assert ((b"content-encoding", b"gzip") in response.fields) is is_accepted
    assert (b"vary", b"accept-encoding") in response.fields
    assert is_accepted or response.body == TEXT


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer(HTML, body=b"a" * (LEAST - 1)), id="tiny"),
        pytest.param(answer(HTML, body=b""), id="empty"),
        pytest.param(answer(HTML, (b"Content-Encoding", b"br")), id="encoded"),
        pytest.param(answer(HTML, (b"content-range", b"bytes 0-1/2")), id="range"),
        pytest.param(answer(HTML, status=206), id="partial"),
        pytest.param(answer(HTML, (b"Content-Digest", b"sha-256=:x=:")), id="digest"),
        pytest.param(answer(HTML, (b"Cache-Control", b"No-Transform")), id="told"),
        pytest.param(answer((b"content-type", b"image/png")), id="image"),
        pytest.param(answer((b"content-type", b"video/mp4")), id="video"),
        pytest.param(answer((b"content-type", b"application/zip")), id="zip"),
        pytest.param(answer((b"content-type", b"font/woff2")), id="font"),
        pytest.param(answer((b"content-type", b"text/event-stream")), id="events"),
    ],
)
def test_left_alone(response):
    """What gains nothing or must not change is the same, to the last field."""
    assert compress(ask(b"gzip"), response) is response


@pytest.mark.parametrize(
    "media_type", [b"image/svg+xml", b"application/json", b"application/wasm", b""]
)
def test_worth_it(media_type):
    """What shrinks is compressed, whether or not it is text."""
    response = compress(ask(b"gzip"), answer((b"content-type", media_type)))

    assert (b"content-encoding", b"gzip") in response.fields


@pytest.mark.parametrize(
    "value", [b"Accept-Encoding", b"origin, accept-encoding", b"*"]
)
def test_vary_is_said_once(value):
    """A response that says so already need not be told."""
    response = compress(ask(b"gzip"), answer(HTML, (b"Vary", value)))

    assert [v for n, v in response.fields if n.lower() == b"vary"] == [value]


def test_a_weak_etag_stays():
    """It names no bytes."""
    response = compress(ask(b"gzip"), answer(HTML, (b"etag", b'W/"a"')))

    assert (b"etag", b'W/"a"') in response.fields
