"""Every gateway: a request becomes an event that the adapter reads as that request."""

import json

import pytest

from lambda_adapter.events.body import buffered
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
from lambda_adapter.http.messages import Fields, Request
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.gateways.gateway import ClientRequest, EventMeta, RefusedError
from tests.catalogue import CLASSES
from tests.local.gateways.requests import CASES, Case

STAMP = EventMeta(
    time_ms=1_790_000_000_123,
    request_id="11111111-2222-3333-4444-555555555555",
    trace_id="1-6aaf0c1a-0123456789abcdef01234567",
)
ADDED = {b"host", b"content-length", b"x-amzn-request-context"}
ADDED |= {b"x-amzn-lambda-context", b"x-amzn-trace-id"}


def arrival(case: Case) -> ClientRequest:
    """Return a case's request, as it arrives at the gateway."""
    fields = [(b"Host", b"127.0.0.1:9000"), *case.fields]
    if case.body:
        fields.append((b"Content-Length", b"%d" % len(case.body)))
    return ClientRequest(case.method, case.path, case.query, fields, case.body)


def seen(event: dict[str, object]) -> Request:
    """Return the request to the application."""
    payload = json.dumps(event).encode()
    return classify(payload).decode(payload).request(Context(b"{}"))


def shown(fields: Fields) -> Fields:
    """Return the client's own headers, names in lower case."""
    lower = [(name.lower(), value) for name, value in fields]
    return [
        (name, value)
        for name, value in lower
        if name not in ADDED and not name.startswith((b"x-forwarded-", b"x-amzn-tls-"))
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("name", GATEWAYS)
def test_request(name: str, case: Case):
    """An application sees exactly what the gateway keeps of the request."""
    gateway = GATEWAYS[name]()
    if name in case.refused:
        with pytest.raises(RefusedError) as refused:
            gateway.event(arrival(case), STAMP)
        assert refused.value.response.status == 400
        assert refused.value.response.body == b'{"message":"Bad Request"}'
        return

    request = seen(gateway.event(arrival(case), STAMP))

    assert request.method.decode() == case.method
    assert request.target.decode() == case.expected_target(name)
    assert sorted(shown(request.fields)) == sorted(case.expected_fields(name))
    assert request.body == case.expected_body(name)


@pytest.mark.parametrize("name", GATEWAYS)
def test_kind(name: str):
    """The adapter takes each gateway's event for that gateway's, and for no other's."""
    event = GATEWAYS[name]().event(arrival(CASES[0]), STAMP)

    kind = classify(json.dumps(event).encode())

    assert kind is CLASSES[name.replace("-", "_")]


@pytest.mark.parametrize("name", GATEWAYS)
def test_forwarded_fields(name: str):
    """The client's address is appended to ``X-Forwarded-For``, never replaced by it."""
    case = Case("", fields=[(b"X-Forwarded-For", b"192.0.2.1")])
    client = arrival(case)

    request = seen(GATEWAYS[name]().event(client, STAMP))

    fields = {key.lower(): value for key, value in request.fields}
    assert fields[b"x-forwarded-for"] == b"192.0.2.1, 127.0.0.1"
    if name != "vpc-lattice":
        assert fields[b"x-forwarded-proto"] == b"http"
        assert fields[b"x-forwarded-port"] == b"9000"
        assert fields[b"x-amzn-trace-id"] == b"Root=" + STAMP.trace_id.encode()


@pytest.mark.parametrize("name", GATEWAYS)
def test_failure(name: str):
    """Each gateway has its own status and message for a function's failure."""
    failures = {
        "http-api": (500, b'{"message":"Internal Server Error"}'),
        "rest-api": (502, b'{"message": "Internal server error"}'),
        "function-url": (502, b"Internal Server Error"),
    }

    failure = GATEWAYS[name]().failure()

    if name in failures:
        assert (failure.status, failure.body) == failures[name]
    else:
        assert failure.status == 502


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("http-api", 503, b'{"message":"Service Unavailable"}'),
        ("rest-api", 504, b'{"message": "Endpoint request timed out"}'),
    ],
)
def test_late(name: str, status: int, message: bytes):
    """A gateway with its own timeout responds once it has passed."""
    late = GATEWAYS[name]().late()

    assert (late.status, late.body) == (status, message)


@pytest.mark.parametrize("name", GATEWAYS)
def test_too_large(name: str):
    """A body beyond the gateway's limit is refused with 413."""
    assert GATEWAYS[name]().too_large().status == 413


def event_with(name: str, *fields: tuple[bytes, bytes], body: bytes = b""):
    """Return a gateway's event for a request with these headers."""
    case = Case("", "/a", "POST", fields=list(fields), body=body)
    return GATEWAYS[name]().event(arrival(case), STAMP)


def headers_of(event: dict[str, object]) -> dict[str, list[str]]:
    """Return an event's headers, names in lower case, each with its values."""
    lists = event.get("multiValueHeaders") or event["headers"]
    assert isinstance(lists, dict)
    return {
        name.lower(): value if isinstance(value, list) else [value]
        for name, value in lists.items()
    }


@pytest.mark.parametrize("name", sorted({*GATEWAYS} - {"vpc-lattice"}))
def test_protocol_is_the_gateways(name: str):
    """A client's own protocol and port headers are replaced by the gateway's."""
    forged = [
        (b"X-Forwarded-Proto", b"gopher"),
        (b"x-forwarded-port", b"7"),
        (b"X-Amzn-Trace-Id", b"Root=forged"),
    ]

    headers = headers_of(event_with(name, *forged))

    assert headers["x-forwarded-proto"] == ["http"]
    assert headers["x-forwarded-port"] == ["9000"]
    assert headers["x-amzn-trace-id"] == [f"Root={STAMP.trace_id}"]


@pytest.mark.parametrize(
    "value", [b"X-Hop, close", b"close,x-hop", b"keep-alive, X-HOP"]
)
@pytest.mark.parametrize("name", GATEWAYS)
def test_headers_of_one_connection(name: str, value: bytes):
    """Headers that ``Connection`` names are not forwarded, nor is it."""
    fields = (b"Connection", value), (b"X-Hop", b"1"), (b"X-End", b"2")

    headers = headers_of(event_with(name, *fields))

    assert {"connection", "x-hop", "keep-alive"} & {*headers} == set()
    assert headers["x-end"] == ["2"]


@pytest.mark.parametrize("value", [b"websocket", b"h2c"])
@pytest.mark.parametrize("name", ["alb", "alb-multi-value"])
def test_upgrade_at_a_load_balancer(name: str, value: bytes):
    """A load balancer responds to ``Upgrade`` with 400, as a page, without Lambda."""
    with pytest.raises(RefusedError) as refused:
        event_with(name, (b"Connection", b"Upgrade"), (b"Upgrade", value))

    response = refused.value.response
    assert response.status == 400
    assert b"<title>400 Bad Request</title>" in buffered(response)


@pytest.mark.parametrize(
    ("encoding", "is_base64"), [(b"gzip", True), (b"br", True), (b"", False)]
)
@pytest.mark.parametrize("media_type", [b"text/plain", b"application/json"])
@pytest.mark.parametrize("name", sorted({*GATEWAYS} - {"rest-api"}))
def test_text_with_an_encoding(
    name: str, media_type: bytes, encoding: bytes, is_base64: bool
):
    """A body with a Content-Encoding is base64, even if its bytes could be text."""
    fields = (b"Content-Type", media_type), (b"Content-Encoding", encoding)

    event = event_with(name, *fields, body=b"abc")

    assert event["isBase64Encoded"] is is_base64
    assert event["body"] == ("YWJj" if is_base64 else "abc")
