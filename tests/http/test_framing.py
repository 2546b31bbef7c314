"""``framing``: what a head says of the body and of the connection."""

import pytest

from lambda_adapter.http import framing
from lambda_adapter.http.known import MAX_KNOWN_SIZE
from lambda_adapter.http.peer_error import PeerError
from tests.responses import OK, parse


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
    """Transfer codings have no case."""
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
    """A connection goes on unless its peer says otherwise, or is too old to say so."""
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
    """Applications hand on an upstream's fields: of both framings, chunks count."""
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
    """A length that is repeated is one length, and its connection is not reused."""
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
    """``identity`` says that there is no transfer coding."""
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

    assert max(map(len, framing._known_options)) <= MAX_KNOWN_SIZE
