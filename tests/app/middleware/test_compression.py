"""Compressing a whole response."""

import gzip
import subprocess
import sys

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.app.middleware.compression import LEAST, compress
from lambda_adapter.http.messages import Request, Response
from tests.emulator import PROJECT

TEXT = b"text " * LEAST
HTML = (b"Content-Type", b"text/html")


def ask(*accepted: bytes) -> Request:
    fields = [(b"Accept-Encoding", value) for value in accepted]
    return Request(b"GET", b"/", [(b"host", b"a"), *fields])


def answer(*fields: tuple[bytes, bytes], body: bytes = TEXT, status: int = 200):
    return Response(status, b"OK", list(fields), body)


DECODERS = {b"gzip": gzip.decompress, b"br": brotli.decompress}


def coding(response: Response) -> bytes:
    return dict(response.fields).get(b"content-encoding", b"")


@pytest.mark.parametrize("name", DECODERS)
def test_compressed(name):
    """The body is encoded, and the headers say so; everything else stays."""
    response = compress(
        ask(name),
        answer(
            HTML,
            (b"Content-Length", b"%d" % len(TEXT)),
            (b"ETag", b'"a"'),
            (b"Accept-Ranges", b"bytes"),
            (b"X-A", b"b"),
        ),
    )

    assert isinstance(response.body, bytes)
    assert DECODERS[name](response.body) == TEXT
    assert len(response.body) < len(TEXT)
    assert response.fields == [
        HTML,
        (b"Content-Length", b"%d" % len(response.body)),
        (b"ETag", b'W/"a"'),
        (b"X-A", b"b"),
        (b"vary", b"accept-encoding"),
        (b"content-encoding", name),
    ]


@pytest.mark.parametrize("name", DECODERS)
@given(body=st.binary(min_size=LEAST))
def test_every_byte_comes_back(name, body):
    """Whatever the body, a client that decodes it gets the same bytes."""
    response = compress(ask(name), answer(HTML, body=body))

    assert isinstance(response.body, bytes)
    assert DECODERS[name](response.body) == body


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ([b"gzip"], b"gzip"),
        ([b"GZip;q=0.1"], b"gzip"),
        ([b"br", b"gzip"], b"br"),
        ([b"gzip, deflate, br, zstd"], b"br"),
        ([b"gzip;q=1, br;q=0.9"], b"gzip"),
        ([b"gzip;q=0.8,br; q=0.801"], b"br"),
        ([b"br;q=0, gzip"], b"gzip"),
        ([b"*"], b"br"),
        ([b"*;q=0, gzip"], b"gzip"),
        ([b"gzip, *;q=0.5"], b"gzip"),
        ([b"x-gzip"], b"gzip"),
        ([], b""),
        ([b""], b""),
        ([b"deflate, compress"], b""),
        ([b"identity"], b""),
        ([b"gzip;q=0"], b""),
        ([b"gzip; q=0.000"], b""),
        ([b"gzip;q=0.0001"], b""),
        ([b"gzip;q=much"], b""),
        ([b"*;q=0"], b""),
        ([b"gzipped"], b""),
    ],
)
def test_accepted(accepted, chosen):
    """A client gets its preferred coding, and ``Vary`` is always sent."""
    response = compress(ask(*accepted), answer(HTML))

    assert coding(response) == chosen
    assert (b"vary", b"accept-encoding") in response.fields
    assert chosen or response.body == TEXT


OLDER = """
import sys, types
if sys.version_info < (3, 14):
    import backports.zstd
    sys.modules["compression"] = package = types.ModuleType("compression")
    sys.modules["compression.zstd"] = package.zstd = backports.zstd
from compression import zstd
"""
"""Has an older Python use the package that is a copy of Python 3.14's module."""


ZSTD = {
    "gzip, deflate, br, zstd": "br",
    "gzip, zstd": "zstd",
    "zstd;q=0.5, gzip": "gzip",
    "br;q=0.5, zstd;q=0.6, gzip;q=0.1": "zstd",
    "zstd;q=0, gzip;q=0.1": "gzip",
    "br;q=0, *": "zstd",
    "deflate": "",
}


@pytest.fixture(scope="module")
def with_zstd() -> dict[str, str]:
    """The coding for each client in a process that has Python 3.14's module."""
    if sys.version_info < (3, 14):
        pytest.importorskip("backports.zstd")
    program = OLDER + (
        "from tests.app.middleware.test_compression import *\n"
        "decoders = DECODERS | {b'': bytes, b'zstd': zstd.decompress}\n"
        "for accepted in sys.argv[1:]:\n"
        "    response = compress(ask(accepted.encode()), answer(HTML))\n"
        "    name = coding(response)\n"
        "    assert decoders[name](response.body) == TEXT\n"
        "    print(name.decode())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *ZSTD],
        capture_output=True,
        check=True,
        text=True,
        cwd=PROJECT,
    )
    return dict(zip(ZSTD, run.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("accepted", ZSTD)
def test_zstd(with_zstd, accepted):
    """With Python 3.14, a client gets zstd unless it prefers another coding."""
    assert with_zstd[accepted] == ZSTD[accepted]


def test_without_brotli():
    """Without brotli and zstd, the coding is gzip."""
    program = (
        "import sys; sys.modules['brotli'] = sys.modules['compression'] = None\n"
        "from lambda_adapter.app.middleware.compression import CODINGS, choose_coding\n"
        "print(list(CODINGS), choose_coding([(b'accept-encoding', b'br, gzip')]))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert run.stdout == "[b'gzip'] b'gzip'\n"


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
    """A response that gains nothing, or must not change, keeps every header."""
    assert compress(ask(b"gzip"), response) is response


@pytest.mark.parametrize(
    "media_type", [b"image/svg+xml", b"application/json", b"application/wasm", b""]
)
def test_worth_it(media_type):
    """A body that shrinks is compressed, whether or not it is text."""
    response = compress(ask(b"gzip"), answer((b"content-type", media_type)))

    assert (b"content-encoding", b"gzip") in response.fields


@pytest.mark.parametrize(
    "value", [b"Accept-Encoding", b"origin, accept-encoding", b"*"]
)
def test_vary_is_said_once(value):
    """``Vary`` is not added to a response that has it already."""
    response = compress(ask(b"gzip"), answer(HTML, (b"Vary", value)))

    assert [v for n, v in response.fields if n.lower() == b"vary"] == [value]


def test_a_weak_etag_stays():
    """A weak ETag stays: it does not promise the same bytes."""
    response = compress(ask(b"gzip"), answer(HTML, (b"etag", b'W/"a"')))

    assert (b"etag", b'W/"a"') in response.fields
