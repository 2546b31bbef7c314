"""A client, a gateway, the adapter and an application: the whole path."""

import base64

import h11
import pytest

from lambda_adapter.local.gateways import GATEWAYS
from tests.local.client import Received, ask
from tests.local.conftest import Gateways
from tests.local.gateways.requests import CASES, Case

STREAMING = [name for name, kind in GATEWAYS.items() if kind.streams]
EVERY_BYTE = bytes(range(256))
COOKIES = [b"first=1; Path=/", b"second=2; HttpOnly"]


def content(name: str, received: Received) -> bytes:
    """Return the octets of a response, which a REST API shows as base64."""
    if name == "rest-api":
        return base64.b64decode(received.body, validate=True)
    return received.body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("name", GATEWAYS)
def test_request(gateways: Gateways, name: str, case: Case):
    """Target, fields and body reach the application as the gateway leaves them."""
    received = ask(
        gateways.ports[name], case.target, case.method, case.fields, case.body
    )

    if name in case.refused:
        assert (received.status, received.body) == (400, b'{"message":"Bad Request"}')
        return
    head, _, body = content(name, received).partition(b"\r\n\r\n")
    request_line, *lines = head.split(b"\r\n")
    fields = [tuple(line.split(b": ", 1)) for line in lines]
    expected = f"{case.method} {case.expected_target(name)} HTTP/1.1"
    assert request_line.decode() == expected
    assert body == case.expected_body(name)
    seen = [(key.lower(), value) for key, value in fields]
    assert [each for each in case.expected_fields(name) if each not in seen] == []


@pytest.mark.parametrize("name", GATEWAYS)
def test_every_byte_of_a_response(gateways: Gateways, name: str):
    """A response's bytes are returned; by a REST API as base64."""
    received = ask(gateways.ports[name], "/bytes")

    assert content(name, received) == EVERY_BYTE
    assert len(received.body) == (344 if name == "rest-api" else 256)


@pytest.mark.parametrize("name", GATEWAYS)
def test_cookies(gateways: Gateways, name: str):
    """Two cookies reach the client through every gateway."""
    received = ask(gateways.ports[name], "/cookies")

    assert sorted(received.values(b"set-cookie")) == COOKIES


@pytest.mark.parametrize("name", GATEWAYS)
def test_response_too_large(gateways: Gateways, name: str):
    """A reply that Lambda would refuse is the adapter's 502, with a reason."""
    received = ask(gateways.ports[name], "/large/7000000")

    assert received.status == 502
    assert b"larger than AWS Lambda can return" in received.body


@pytest.mark.parametrize(
    ("name", "size"), [("alb", 1_048_577), ("rest-api", 6_300_000)]
)
def test_request_too_large(gateways: Gateways, name: str, size: int):
    """A body that the gateway or Lambda refuses is 413."""
    received = ask(gateways.ports[name], "/", "POST", [], b"x" * size)

    assert received.status == 413


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("http-api", 500, b'{"message":"Internal Server Error"}'),
        ("rest-api", 502, b'{"message": "Internal server error"}'),
        ("function-url", 502, b"Internal Server Error"),
        ("alb", 502, b"<html>"),
        ("alb-multi-value", 502, b"<html>"),
        ("vpc-lattice", 502, b'{"message":"Bad Gateway"}'),
    ],
)
def test_function_failure(failing: Gateways, name: str, status: int, body: bytes):
    """An invocation that fails is each gateway's own response."""
    received = ask(failing.ports[name], "/status/500")

    assert received.status == status
    assert received.body.startswith(body)
    if name.startswith("alb"):
        assert received.values(b"server") == [b"awselb/2.0"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_head(gateways: Gateways, name: str):
    """A response to HEAD has no body, and the Content-Length of one to GET."""
    received = ask(gateways.ports[name], "/bytes", "HEAD")

    assert (received.status, received.body) == (200, b"")
    assert received.values(b"content-length") == [b"256"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_no_content(gateways: Gateways, name: str):
    """A 204 has neither a body nor a length."""
    received = ask(gateways.ports[name], "/status/204")

    assert (received.status, received.body) == (204, b"")
    assert received.values(b"content-length") == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("http-api", b"application/json"),
        ("rest-api", b"application/json"),
        ("function-url", b"application/json"),
        ("alb", b"application/octet-stream"),
    ],
)
def test_untyped_response(gateways: Gateways, name: str, kind: bytes):
    """A response without a Content-Type gets the one of its gateway."""
    received = ask(gateways.ports[name], "/untyped")

    assert received.values(b"content-type") == [kind]


def test_absolute_form(gateways: Gateways):
    """A request in absolute-form, as to a proxy, is the request for its path."""
    received = ask(gateways.ports["alb"], "http://example.com/a?b=1")

    assert received.body.startswith(b"GET /a?b=1 HTTP/1.1\r\n")


@pytest.mark.parametrize("name", ["alb", "http-api"])
def test_websocket(gateways: Gateways, name: str):
    """A WebSocket's handshake is refused with 400."""
    fields = [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Key", b"MDEyMzQ1Njc4OWFiY2RlZg=="),
    ]

    assert ask(gateways.ports[name], "/", "GET", fields).status == 400


@pytest.mark.parametrize("name", GATEWAYS)
def test_streamed_response(streaming: Gateways, name: str):
    """A streamed body is the same bytes, in one piece where a gateway can't stream."""
    received = ask(streaming.ports[name], "/bytes")

    body = received.body if name in STREAMING else content(name, received)
    assert body == EVERY_BYTE


@pytest.mark.parametrize("name", STREAMING)
def test_streamed_cookies(streaming: Gateways, name: str):
    """Two cookies reach the client of a stream."""
    assert ask(streaming.ports[name], "/cookies").values(b"set-cookie") == COOKIES


@pytest.mark.parametrize("name", STREAMING)
def test_large_stream(streaming: Gateways, name: str):
    """A stream may be longer than a whole reply."""
    received = ask(streaming.ports[name], "/large/7000000")

    assert (received.status, len(received.body)) == (200, 7_000_000)


@pytest.mark.parametrize("name", STREAMING)
def test_stream_that_breaks_off(streaming: Gateways, name: str):
    """A stream that breaks off ends early for its client, and never as if complete."""
    with pytest.raises(h11.RemoteProtocolError):
        ask(streaming.ports[name], "/broken")
