"""Bodies: the same bytes in HTTP and in JSON."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events.body import buffered, decode_body, encode_body
from lambda_adapter.events.http_api import HttpApiEvent
from lambda_adapter.http.messages import Response
from tests.events.examples import response

MEDIA_TYPES = st.sampled_from(
    [
        "text/plain",
        "text/html; charset=utf-8",
        "TEXT/HTML; Charset=ISO-8859-1",
        "text/plain; charset=utf-16",
        "text/csv; charset=shift_jis",
        "application/json",
        "application/octet-stream",
        "image/svg+xml",
        "image/png",
        "",
    ]
)
FIELDS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from([b"content-type", b"Content-Type"]),
            st.one_of(MEDIA_TYPES.map(str.encode), st.binary()),
        ),
        st.tuples(
            st.just(b"Content-Encoding"),
            st.sampled_from([b"gzip", b"identity", b"", b"br"]),
        ),
    ),
    max_size=3,
)
BODIES = st.one_of(
    st.binary(),
    st.text().map(str.encode),
    st.text().map(lambda text: text.encode("utf-8-sig")),
    st.text().map(lambda text: text.encode("utf-16")),
    st.text(st.characters(max_codepoint=255)).map(lambda t: t.encode("latin-1")),
)


@given(body=BODIES, fields=FIELDS)
def test_body_survives(body, fields):
    """A client gets the application's bytes, whatever their media type."""
    reply = json.loads(HttpApiEvent.encode_response(response(body, *fields)))

    assert isinstance(reply["isBase64Encoded"], bool)
    assert decode_body(reply["body"], reply["isBase64Encoded"]) == body


@given(body=st.binary())
def test_decode_base64(body):
    """What a gateway encodes is decoded."""
    assert decode_body(base64.b64encode(body).decode(), True) == body


@given(body=st.text())
def test_decode_text(body):
    """Text becomes UTF-8."""
    assert decode_body(body, False) == body.encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("a", id="too-short"),
        pytest.param("QUJ", id="no-padding"),
        pytest.param("QQ=", id="half-a-padding"),
        pytest.param("QQ==QQ==", id="after-padding"),
        pytest.param("====", id="padding"),
        pytest.param("Q Q=", id="space"),
        pytest.param("QQ==\n", id="line-break"),
        pytest.param("_-8=", id="url-alphabet"),
        pytest.param("é===", id="not-ascii"),
        pytest.param('{"a": 1}', id="json"),
    ],
)
def test_decode_invalid_base64(body):
    """Invalid base64 is an error, and never decoded in part."""
    with pytest.raises(EventError, match="not base64"):
        decode_body(body, True)


@given(body=st.text())
def test_decode_anything(body):
    """A body in base64 is decoded, or it is an error."""
    try:
        decoded = decode_body(body, True)
    except EventError:
        return

    assert len(base64.b64encode(decoded)) == len(body)


@pytest.mark.parametrize("body", [None, ""])
@pytest.mark.parametrize("is_base64_encoded", [None, False, True])
def test_decode_empty(body, is_base64_encoded):
    """A missing body is an empty one, base64 or not."""
    assert decode_body(body, is_base64_encoded) == b""


@pytest.mark.parametrize("is_base64_encoded", [None, False])
def test_decode_unless_said(is_base64_encoded):
    """A body is base64 only if the event says so."""
    assert decode_body("QUJD", is_base64_encoded) == b"QUJD"


@pytest.mark.parametrize(
    "media_type",
    [
        b"text/plain",
        b"text/html; charset=utf-8",
        b'TEXT/HTML;CHARSET="UTF-8"',
        b"text/event-stream",
        b"text/css",
        b"text/x-anything",
        b"application/json",
        b"application/problem+json",
        b"application/vnd.api+json; version=1",
        b"application/xml",
        b"application/atom+xml",
        b"image/svg+xml",
        b"application/javascript",
        b"application/x-javascript",
        b"application/x-ndjson",
        b"application/yaml",
        b"application/openapi+yaml",
        b"application/graphql",
        b"application/x-www-form-urlencoded",
        b" text/plain ",
        b"text/plain; charset = utf8",
        b"text/plain; charset=US-ASCII",
    ],
)
def test_encode_text(media_type):
    """A REST API gives its client base64 undecoded, so text must stay text."""
    answer = response("é".encode(), (b"Content-Type", media_type))

    assert encode_body(answer) == ("é", False)


@pytest.mark.parametrize(
    "media_type",
    [
        b"application/octet-stream",
        b"application/pdf",
        b"application/zip",
        b"application/grpc",
        b"application/jsonp-not",
        b"image/png",
        b"font/woff2",
        b"multipart/form-data; boundary=text/plain",
        b"video/mp4",
        b"json",
        b"\xff",
    ],
)
def test_encode_binary(media_type):
    """A body without a textual type is base64, even if it is valid text."""
    answer = response(b"abc", (b"Content-Type", media_type))

    assert encode_body(answer) == (b"abc", True)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        pytest.param(b"caf\xe9", b"text/plain", id="not-utf-8"),
        pytest.param(b"caf\xe9", b"text/plain; charset=latin-1", id="latin-1"),
        pytest.param("é".encode(), b"text/plain; charset=latin-1", id="looks-utf-8"),
        pytest.param("é".encode("utf-16"), b"text/plain", id="utf-16"),
        pytest.param(b"a\0b\0", b"text/plain; charset=utf-16le", id="utf-16-ascii"),
        pytest.param(b"\x83\x65", b"text/html; charset=Shift_JIS", id="shift-jis"),
        pytest.param(b"\xff\xfea\0", b"", id="no-type-no-text"),
        pytest.param(b"\xed\xa0\x80", b"text/plain", id="surrogate"),
    ],
)
def test_encode_text_that_is_not(body, media_type):
    """Text that is not UTF-8, or is declared as something else, is not transcoded."""
    fields = [(b"content-type", media_type)] if media_type else []

    assert encode_body(response(body, *fields)) == (body, True)


@pytest.mark.parametrize(("text", "data"), [("YR==", b"a"), ("YWJ=", b"ab")])
def test_decode_base64_with_spare_bits(text, data):
    """Base64 with spare bits in its last character is accepted.

    See https://www.rfc-editor.org/rfc/rfc4648#section-3.5.
    """
    assert decode_body(text, is_base64_encoded=True) == data


@pytest.mark.parametrize("charset", [b"iso-8859-1", b"windows-1252", b"shift_jis"])
def test_encode_ascii_in_other_charset(charset):
    """Pure ASCII is the same in another charset, so it stays text."""
    answer = response(b"abc", (b"content-type", b"text/plain; charset=" + charset))

    assert encode_body(answer) == ("abc", False)


def test_encode_byte_order_mark():
    """A byte order mark stays: spreadsheets look for it."""
    answer = response(b"\xef\xbb\xbfa;b", (b"content-type", b"text/csv"))

    assert encode_body(answer) == ("\ufeffa;b", False)


def test_encode_without_media_type():
    """A body without a type is text if it is UTF-8."""
    assert encode_body(response("é".encode())) == ("é", False)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b" GZIP ", b"gzip, identity"])
def test_encode_content_encoding(coding):
    """A body with a content coding is binary, whatever its type."""
    answer = response(
        b"abc", (b"Content-Type", b"text/plain"), (b"Content-Encoding", coding)
    )

    assert encode_body(answer) == (b"abc", True)


@pytest.mark.parametrize("coding", [b"identity", b"Identity", b""])
def test_encode_identity(coding):
    """A body with the coding ``identity`` is not binary."""
    answer = response(b"abc", (b"content-encoding", coding))

    assert encode_body(answer) == ("abc", False)


def test_buffered_stream():
    """A stream can't be part of a buffered reply: that would be a bug."""

    async def pieces():
        yield b""

    with pytest.raises(TypeError, match="stream"):
        buffered(Response(200, b"OK", [], pieces()))
