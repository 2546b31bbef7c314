"""What every kind of event has in common, over any JSON and any bytes."""

import json
import re
from http import HTTPMethod
from typing import Any

import httptools
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_adapter.errors import (
    AppRequestError,
    DeadlineError,
    EventError,
    InternalError,
    ResponseTooLargeError,
)
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import (
    MAX_REPLY,
    NULL,
    Context,
    Event,
    decode_as,
    error_response,
    request_context_field,
)
from lambda_adapter.http.encoding import encode_request
from lambda_adapter.http.messages import Request, Response
from tests.catalogue import HTTP, NAMES, load
from tests.events.examples import encode, raw, read, request_of, values_of

SURROGATES_TOO = st.text(st.characters(exclude_categories=()), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    SURROGATES_TOO,
    st.sampled_from(["\r\n", "a\0", "a b", "//a", "#?", "%", "é", "GET", "host"]),
)
KEYS = st.one_of(
    SURROGATES_TOO,
    st.sampled_from(
        sorted(
            {key for name in HTTP for key in load(name)}
            | {"elb", "http", "method", "domainName", "serviceArn", "connectionId"}
        )
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
FULL = Context(b'{"ours":1}', b"Root=ours", b"ours")


def places(node, path=()):
    """Return the way to every node below one."""
    inner = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, child in inner:
        yield (*path, key)
        yield from places(child, (*path, key))


@st.composite
def mutants(draw):
    """Return an example some of whose nodes are replaced, deleted or of other types."""
    event = load(draw(st.sampled_from(NAMES)))
    for _ in range(draw(st.integers(1, 3))):
        ways = list(places(event))
        if not ways:
            break
        *way, last = draw(st.sampled_from(ways))
        parent = event
        for key in way:
            parent = parent[key]
        old = parent[last]
        change = draw(st.sampled_from(["replace", "delete", "wrap", "text", "rename"]))
        if change == "delete":
            del parent[last]
        elif change == "wrap":
            parent[last] = [old] if draw(st.booleans()) else {"a": old}
        elif change == "text":
            parent[last] = str(old) + draw(SURROGATES_TOO)
        elif change == "rename" and isinstance(parent, dict):
            parent[draw(KEYS)] = parent.pop(last)
        else:
            parent[last] = draw(JSON)
    return event


class Parsed:
    """A request as another parser reads it."""

    def __init__(self, head):
        self.target = b""
        self.fields = []
        self.complete = False
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(head)
        self.method = parser.get_method()
        self.version = parser.get_http_version()

    def on_url(self, url):
        self.target += url

    def on_header(self, name, value):
        self.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self):
        self.complete = True


def assert_sound(request: Request) -> None:
    """Check that a peer reads exactly the request that was meant.

    httptools knows the registered methods alone, takes no control characters, which
    RFC 9110 lets pass, and no white space around a value.
    """
    assert re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", request.method)
    fields = [
        (name, re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"?", value))
        for name, value in request.fields
        if not re.search(rb"[\r\n\0]", value)
    ]
    assert len(fields) == len(request.fields)
    known = request.method.decode() in HTTPMethod.__members__
    method = request.method if known else b"POST"

    parsed = Parsed(encode_request(Request(method, request.target, fields)).head)

    assert parsed.complete
    assert parsed.version == "1.1"
    assert parsed.method == method
    assert parsed.target == request.target
    assert parsed.fields == [(name, value.strip(b" \t")) for name, value in fields]
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    assert lengths in ([], [b"%d" % len(request.body)])
    assert lengths or not request.body
    assert not [name for name, _ in fields if name.lower() == b"transfer-encoding"]
    assert [name for name, _ in fields if name.lower() == b"host"] == [b"host"]


@pytest.mark.parametrize("name", NAMES)
def test_example_is_sound(name):
    """A peer reads exactly the request that an example becomes."""
    assert_sound(request_of(load(name), FULL))


@settings(max_examples=100)
@given(event=mutants())
def test_mutant_is_request_or_event_error(event):
    """A malformed event is a sound request or an EventError, and nothing else."""
    try:
        request = request_of(event, FULL)
    except EventError:
        return

    assert_sound(request)


@given(event=JSON)
def test_json_is_request_or_event_error(event):
    """Any JSON is a sound request or an EventError, and nothing else."""
    try:
        request = request_of(event, FULL)
    except EventError:
        return

    assert_sound(request)


@given(payload=st.binary())
def test_bytes_are_request_or_event_error(payload):
    """Any bytes are a sound request or an EventError, and nothing else."""
    try:
        request = request_of(payload, FULL)
    except EventError:
        return

    assert_sound(request)


@given(data=st.data())
def test_broken_bytes_are_request_or_event_error(data):
    """An example cut off, or with other bytes in it, is a request or an EventError."""
    payload = bytearray(encode(load(data.draw(st.sampled_from(NAMES)))))
    start = data.draw(st.integers(0, len(payload)))
    payload[start : start + data.draw(st.integers(0, 3))] = data.draw(
        st.binary(max_size=3)
    )
    if data.draw(st.booleans()):
        del payload[data.draw(st.integers(0, len(payload))) :]

    try:
        request = request_of(bytes(payload), FULL)
    except EventError:
        return

    assert_sound(request)


FIELDS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([b"Set-Cookie", b"Vary", b"vary", b"Connection", b"Age"]),
            st.text("abcXYZ-_~!", min_size=1, max_size=9).map(str.encode),
        ),
        st.binary(max_size=20),
    ),
    max_size=6,
)


@pytest.mark.parametrize("name", HTTP)
@given(
    answer=st.builds(
        Response, st.integers(200, 599), st.binary(), FIELDS, st.binary(max_size=50)
    )
)
def test_any_response_is_a_reply(name, answer):
    """Whatever the application's response, a reply is JSON with status and body."""
    kind = classify(encode(load(name)))

    reply = json.loads(kind.encode_response(answer))

    assert reply["statusCode"] == answer.status
    assert isinstance(reply["body"], str)
    assert isinstance(reply["isBase64Encoded"], bool)


STREAMING = {"function_url", "rest_api"}
"""What comes by these can be answered piece by piece."""


@pytest.mark.parametrize("name", NAMES)
def test_streams(name):
    """Only function URLs and REST APIs can stream."""
    kind = classify(encode(load(name)))

    assert kind.streams is (name in STREAMING or name.startswith("rest_api_"))


@pytest.mark.parametrize("name", sorted(STREAMING))
@given(
    answer=st.builds(Response, st.integers(200, 599), st.binary(), FIELDS, st.binary())
)
def test_any_response_has_a_prelude(name, answer):
    """Whatever the application's response, a prelude is JSON without a NUL."""
    kind = classify(encode(load(name)))

    prelude = kind.encode_prelude(answer)

    assert b"\0" not in prelude
    assert json.loads(prelude)["statusCode"] == answer.status


@pytest.mark.parametrize("name", sorted(STREAMING))
@pytest.mark.parametrize("hop", ["Connection", "transfer-encoding", "X-Hop"])
def test_prelude_without_hop_by_hop(name, hop):
    """Headers of one connection are not in a prelude."""
    fields = [(hop.encode(), b"1"), (b"connection", b"x-hop"), (b"date", b"today")]
    kind = classify(encode(load(name)))

    prelude = json.loads(kind.encode_prelude(Response(200, b"OK", fields)))

    values = prelude.get("headers") or prelude.get("multiValueHeaders")
    assert list(values) == ["date"]


@pytest.mark.parametrize("name", sorted(STREAMING))
def test_prelude_is_that_of_the_reply(name):
    """A client sees the same status and headers in either mode."""
    fields = [(b"Set-Cookie", b"a=\xe9"), (b"Vary", b"a"), (b"vary", b"b")]
    answer = Response(418, b"", fields, b"body")
    kind = classify(encode(load(name)))

    prelude = json.loads(kind.encode_prelude(answer))
    reply = json.loads(kind.encode_response(answer))

    assert prelude | {"body": "body", "isBase64Encoded": False} == reply


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("hop", ["Connection", "transfer-encoding", "X-Hop"])
def test_reply_without_hop_by_hop(name, hop):
    """Headers of one connection are not in a reply."""
    fields = [(hop.encode(), b"1"), (b"connection", b"x-hop"), (b"date", b"today")]
    kind = classify(encode(load(name)))

    reply = json.loads(kind.encode_response(Response(200, b"OK", fields)))

    values = reply.get("headers") or reply.get("multiValueHeaders")
    assert list(values) == ["date"]


MAPS = (
    *("headers", "multiValueHeaders", "queryStringParameters"),
    *("multiValueQueryStringParameters", "query_string_parameters"),
)


@pytest.mark.parametrize("value", [None, [None], [""]], ids=repr)
@pytest.mark.parametrize("name", HTTP)
def test_null_in_a_map(name, value):
    """A name without a value has an empty one, in headers and queries of every kind."""
    event = load(name)
    for key in {*MAPS} & {*event}:
        takes_lists = key.startswith("multi") or "lattice" in name
        given = value[0] if isinstance(value, list) and not takes_lists else value
        event[key] = {**(event[key] or {}), "x-null": given}

    request = request_of(event)

    assert (b"x-null", b"") in request.fields
    if not {"rawQueryString", "raw_path"} & {*event} and b"?" in request.target:
        assert b"x-null=" in request.target.partition(b"?")[2].split(b"&")


def without_host(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event that names no host: neither the client's nor a gateway's."""
    for key in ("headers", "multiValueHeaders", "requestContext"):
        names = event.get(key) or {}
        for name in [*names]:
            if name.lower() in {"host", "domainname"}:
                del names[name]
    return event


@pytest.mark.parametrize("name", HTTP)
def test_host_where_there_is_none(name):
    """A request whose event names no host has the application's own, in every kind."""
    context = Context(b"{}", host=b"127.0.0.1:9000")

    request = request_of(without_host(load(name)), context)

    assert values_of(request.fields, b"host") == [b"127.0.0.1:9000"]


def test_no_request_context():
    """An HTTP event whose context is null has an empty one: null marks other events."""
    request = request_of(load("rest_api_null_context"))

    assert values_of(request.fields, b"x-amzn-request-context") == [b"{}"]


@pytest.mark.parametrize("name", HTTP)
def test_body_in_base64(name):
    """A body in base64 reaches the application as bytes."""
    event = load(name)
    (said,) = {"isBase64Encoded", "is_base64_encoded"} & {*event}

    request = request_of(event | {said: True, "body": "AP8="})

    assert request.body == b"\0\xff"


def test_decode_as():
    """JSON is decoded as the given type."""
    assert decode_as(b"[1, 2]", list[int]) == [1, 2]
    assert decode_as(raw({"a": 1}), dict[str, int]) == {"a": 1}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(b"[", "can't be read", id="not-json"),
        pytest.param(b'["a"]', "int", id="wrong-type"),
        pytest.param(b"[1e999]", "can't be read", id="number"),
        pytest.param(b'{"a": "\xff"}', "can't be read", id="not-utf-8"),
    ],
)
def test_decode_as_other(document, message):
    """A value of another type, or invalid JSON, is an EventError with a reason."""
    with pytest.raises(EventError, match=message):
        decode_as(document, list[int])


def test_decode_as_deep():
    """JSON that is nested too deeply is an EventError as well."""
    with pytest.raises(EventError, match="too deeply"):
        decode_as(b"[" * 1_000_000 + b"]" * 1_000_000, msgspec.Raw)


def test_decode_as_not_utf_8():
    """A string that is not UTF-8 is an error."""
    with pytest.raises(EventError, match="can't be read"):
        decode_as(b'["\xff"]', list[str])


@given(document=JSON.filter(lambda document: document is not None))
def test_request_context_field(document):
    """A context is printable ASCII in a header, and the same JSON there."""
    pretty = json.dumps(document, ensure_ascii=False, indent=1)
    try:
        encoded = pretty.encode()
    except UnicodeEncodeError:
        encoded = json.dumps(document, indent=1).encode()

    field = request_context_field(msgspec.Raw(encoded))

    assert re.fullmatch(rb"[ -~]*", field)
    assert json.loads(field) == document


def test_request_context_field_not_utf_8():
    """A context that is not UTF-8 is an EventError."""
    with pytest.raises(EventError, match="not UTF-8"):
        request_context_field(msgspec.Raw(b'{"a":"\xff"}'))


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        pytest.param(EventError("bad é"), 400, "bad é", id="event"),
        pytest.param(AppRequestError("secret"), 502, "no usable response", id="app"),
        pytest.param(ResponseTooLargeError("secret"), 502, "larger", id="size"),
        pytest.param(DeadlineError("secret"), 504, "in time", id="deadline"),
        pytest.param(InternalError("secret"), 500, "adapter failed", id="internal"),
    ],
)
def test_error_response(error, status, said):
    """A client gets the failure and the request ID, and no secret."""
    answer = error_response(error, "an-id")

    assert isinstance(answer.body, bytes)
    document = json.loads(answer.body)
    assert answer.status == status
    assert answer.fields == [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answer.body)),
    ]
    assert said in document.pop("message")
    assert b"secret" not in answer.body
    assert document == {
        "errorType": f"Runtime.{type(error).__name__}",
        "requestId": "an-id",
    }


@pytest.mark.parametrize("name", HTTP)
def test_error_response_is_a_reply(name):
    """A failure has the form of its event's kind, like any other response."""
    kind = classify(encode(load(name)))

    reply = json.loads(kind.encode_response(error_response(EventError("no"), "an-id")))

    assert reply["statusCode"] == 400
    assert json.loads(reply["body"])["message"] == "no"


def test_events_are_frozen():
    """A decoded event does not change."""
    event = read(encode(load("alb")))

    with pytest.raises(AttributeError):
        event.path = "/"  # type: ignore[attr-defined]


def test_event_is_abstract():
    """Only a kind of event can be decoded and can encode a response."""
    with pytest.raises(NotImplementedError):
        Event().request(FULL)
    with pytest.raises(NotImplementedError):
        Event.encode_response(Response(200, b"OK", []))
    with pytest.raises(NotImplementedError):
        Event.encode_prelude(Response(200, b"OK", []))
    assert bytes(NULL) == b"null"


def test_max_reply():
    """A reply's limit is the one in Lambda's message: 6 MiB and 100 bytes."""
    assert MAX_REPLY == 6 * 1024 * 1024 + 100
