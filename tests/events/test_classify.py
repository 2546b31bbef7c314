"""``classify``: which kind an event is, by the fast path and by the slow one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events.alb import AlbEvent
from lambda_adapter.events.classify import classify, read_fast
from lambda_adapter.events.event import Context, Event
from lambda_adapter.events.http_api import HttpApiEvent
from lambda_adapter.events.pass_through import (
    BatchEvent,
    PassThroughEvent,
    WebSocketEvent,
)
from lambda_adapter.events.rest_api import RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent
from lambda_adapter.http.messages import Request
from tests.catalogue import HTTP, NAMES, class_of, load
from tests.events.examples import encode, request_of, without

OTHERS = {
    "cognito": PassThroughEvent,
    "dynamodb": BatchEvent,
    "eventbridge": PassThroughEvent,
    "kinesis": BatchEvent,
    "s3": BatchEvent,
    "schedule": PassThroughEvent,
    "sns": BatchEvent,
    "sqs": BatchEvent,
    "websocket_connect": WebSocketEvent,
    "websocket_message": WebSocketEvent,
}

KINDS = {name: class_of(name) for name in HTTP} | OTHERS


def test_every_example_is_classified():
    """Every example is one of a kind of HTTP event, or in the table of others."""
    assert sorted(KINDS) == NAMES


@pytest.mark.parametrize(("name", "kind"), KINDS.items(), ids=KINDS)
@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
def test_classify(name, kind, indent):
    """An event is classified by its shape, however its JSON is laid out."""
    payload = json.dumps(load(name), indent=indent).encode()

    assert classify(payload) is kind


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_classify_in_any_order(name, data):
    """The order of the keys does not matter."""
    event = load(name)
    keys = data.draw(st.permutations(list(event)))

    assert classify(encode({key: event[key] for key in keys})) is KINDS[name]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        pytest.param(
            load("eventbridge", version="2.0"), PassThroughEvent, id="eventbridge-2.0"
        ),
        pytest.param(
            load("eventbridge", version="1.0"), PassThroughEvent, id="eventbridge-1.0"
        ),
        pytest.param(
            without(load("vpc_lattice"), "version"), VpcLatticeEvent, id="lattice"
        ),
        pytest.param(
            without(load("http_api"), "version"), HttpApiEvent, id="http-api-no-version"
        ),
        pytest.param(
            without(load("http_api_v1"), "version"), RestApiEvent, id="v1-no-version"
        ),
        pytest.param(load("http_api", version=2), HttpApiEvent, id="http-api-number"),
        pytest.param(load("alb", version="2.0"), AlbEvent, id="alb-2.0"),
    ],
)
def test_classify_never_by_version_alone(event, kind):
    """A version means something only within a kind."""
    assert classify(encode(event)) is kind


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("rest_api", {"requestContext": None}, id="rest-null-context"),
        pytest.param("rest_api", {"requestContext": "x"}, id="rest-text-context"),
        pytest.param("rest_api", {"httpMethod": 5}, id="rest-method"),
        pytest.param("rest_api", {"headers": 5}, id="rest-headers"),
        pytest.param("rest_api", {"body": {}}, id="rest-body"),
        pytest.param("alb", {"httpMethod": None}, id="alb-method"),
        pytest.param("alb", {"path": None}, id="alb-path"),
        pytest.param("alb", {"multiValueHeaders": None}, id="alb-null-lists"),
        pytest.param("alb_multi_value", {"headers": None}, id="alb-null-singles"),
        pytest.param("alb_multi_value", {"multiValueHeaders": {}}, id="alb-empty"),
        pytest.param("http_api", {"isBase64Encoded": None}, id="http-base64"),
        pytest.param("http_api", {"headers": []}, id="http-headers"),
        pytest.param("vpc_lattice", {"method": 5}, id="lattice-method"),
        pytest.param("vpc_lattice_v1", {"headers": 5}, id="lattice-v1-headers"),
    ],
)
def test_classify_by_shape(name, changes):
    """A wrong value makes a bad event of the same kind, never one of another."""
    assert classify(encode(load(name, **changes))) is KINDS[name]


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        pytest.param({"elb": None}, PassThroughEvent, id="null-elb"),
        pytest.param({"http": None}, PassThroughEvent, id="null-http"),
        pytest.param({"connectionId": "a"}, PassThroughEvent, id="half-a-websocket"),
        pytest.param({"elb": {}}, AlbEvent, id="elb"),
        pytest.param({"elb": {}, "http": {}}, AlbEvent, id="elb-first"),
        pytest.param({"serviceArn": "a"}, VpcLatticeEvent, id="service"),
        pytest.param({"serviceNetworkArn": "a"}, VpcLatticeEvent, id="network"),
        pytest.param({"targetGroupArn": "a"}, VpcLatticeEvent, id="target-group"),
        pytest.param({"http": {}}, HttpApiEvent, id="http"),
        pytest.param(
            {"connectionId": "a", "eventType": "b"}, WebSocketEvent, id="websocket"
        ),
        pytest.param([], PassThroughEvent, id="list"),
        pytest.param('{"elb":1}', PassThroughEvent, id="text"),
    ],
)
def test_classify_by_context(context, kind):
    """The context's keys decide, and null counts as absent."""
    assert classify(encode({"requestContext": context})) is kind


ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "TOKEN", "methodArn": ARN}, id="token"),
        pytest.param(load("rest_api", type="REQUEST", methodArn=ARN), id="rest-api"),
        pytest.param(load("http_api", type="REQUEST", routeArn=ARN), id="http-api"),
        pytest.param(
            load("http_api_v1", type="REQUEST", methodArn=ARN), id="http-api-v1"
        ),
        pytest.param(
            load("websocket_connect", type="REQUEST", methodArn=ARN), id="websocket"
        ),
    ],
)
def test_classify_authorizer(event):
    """An authorizer's event is not a client's request, although it looks like one."""
    assert classify(encode(event)) is PassThroughEvent


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="empty"),
        pytest.param({"httpMethod": "GET"}, id="method-alone"),
        pytest.param({"path": "/", "method": "GET"}, id="lattice-without-arn"),
        pytest.param({"raw_path": "/"}, id="path-alone"),
        pytest.param({"headers": {}, "body": ""}, id="fields-and-body"),
        pytest.param([load("alb")], id="within-list"),
    ],
)
def test_classify_what_only_looks_like_http(event):
    """An event with half of a shape is passed through."""
    assert classify(encode(event)) is PassThroughEvent


KAFKA = {"my-topic-0": [{"topic": "my-topic", "offset": 15, "value": "SGVsbG8="}]}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"Records": []}, id="no-records"),
        pytest.param({"Records": [load("alb")]}, id="records"),
        pytest.param({"Records": [{"body": "\ud83d"}]}, id="half-surrogate"),
        pytest.param(load("kinesis", state={"1": 1}, window={}), id="tumbling-window"),
        pytest.param({"eventSource": "aws:kafka", "records": KAFKA}, id="kafka"),
        pytest.param({"eventSource": "SelfManagedKafka"}, id="self-managed-kafka"),
        pytest.param({"records": KAFKA}, id="kafka-without-a-source"),
        pytest.param(
            {"eventSource": "aws:mq", "eventSourceArn": "arn", "messages": [{}]},
            id="active-mq",
        ),
        pytest.param(
            {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [{}]}},
            id="rabbit-mq",
        ),
        pytest.param({"eventSource": "aws:docdb", "events": [{}]}, id="documentdb"),
        pytest.param(
            {"invocationId": "a", "deliveryStreamArn": "arn", "records": [{}]},
            id="firehose",
        ),
        pytest.param(load("sqs")["Records"], id="pipes"),
    ],
)
def test_classify_batch(event):
    """An event with items of a queue, a stream or a broker is a batch."""
    assert classify(encode(event)) is BatchEvent
    assert classify(b" \t\r\n" + encode(event) + b"\n") is BatchEvent


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"messages": [{"role": "user", "content": "hi"}]}, id="messages"),
        pytest.param({"records": [1, 2]}, id="records"),
        pytest.param({"events": []}, id="events"),
        pytest.param({"Records": None, "eventSource": None}, id="nulls"),
        pytest.param([{"messages": []}], id="list-of-objects"),
        pytest.param([], id="empty-list"),
        pytest.param([[{"eventSource": "a"}]], id="list-of-lists"),
    ],
)
def test_classify_no_batch(event):
    """A direct caller's own lists are not a batch."""
    assert classify(encode(event)) is PassThroughEvent


@pytest.mark.parametrize("name", ["alb", "rest_api", "websocket_message"])
def test_classify_http_with_records(name):
    """A batch's keys turn no request and no WebSocket message into a batch."""
    event = load(name, Records=[], eventSource="aws:sqs", records={})

    assert classify(encode(event)) is KINDS[name]


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b'""', b"42", b"-1.5e3", b" true\n", b"\t{}"]
)
def test_classify_any_json(payload):
    """An event is any JSON, or nothing at all."""
    assert classify(payload) is PassThroughEvent


@pytest.mark.parametrize(
    "payload",
    [
        b"garbage",
        b"{",
        b"{} {}",
        b"[1,]",
        b"{'a': 1}",
        b"NaN",
        b" ",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{}\0",
        b'{"a": "\n"}',
        b'{"requestContext": {"elb": }}',
        b"count=2&a=b",
    ],
)
def test_classify_garbage(payload):
    """What is not JSON is an error."""
    with pytest.raises(EventError, match="can't be read"):
        classify(payload)


NESTS = [
    pytest.param(b"[", b"]", id="lists"),
    pytest.param(b'{"a":', b"}", id="objects"),
    pytest.param(b'{"requestContext":', b"}", id="contexts"),
    pytest.param(b'{"headers":', b"}", id="headers"),
]


@pytest.mark.parametrize(("start", "end"), NESTS)
def test_classify_deep_nesting(start, end):
    """An event that is nested too deeply is an error, and does not end the process."""
    payload = start * 1_000_000 + b"1" + end * 1_000_000

    with pytest.raises(EventError, match="nested too deeply"):
        classify(payload)


@pytest.mark.parametrize(("start", "end"), NESTS)
def test_request_deep_nesting(start, end):
    """A nested event is passed on unchanged, up to the depth that Python allows."""
    payload = start * 5_000 + b"1" + end * 5_000
    try:
        request = request_of(payload)
    except EventError:
        return

    assert request.body == payload


CONTEXT = Context(b"{}", b"Root=1", b"tenant")
USUAL = {"function_url", "http_api", "http_api_binary"}


def outcome(event: Event) -> Request | str:
    """Return the request that an event becomes, or why it becomes none."""
    try:
        return event.request(CONTEXT)
    except EventError as error:
        return str(error)


def assert_same(payload: bytes) -> bool:
    """Return whether the event is a usual one, and becomes what it would anyway."""
    event = read_fast(payload)
    if event is None:
        return False
    kind = classify(payload)
    assert isinstance(event, kind)
    usual = type(event)
    assert (usual.streams, usual.max_reply) == (kind.streams, kind.max_reply)
    assert outcome(event) == outcome(kind.decode(payload))
    return True


@pytest.mark.parametrize("name", NAMES)
def test_every_example(name):
    """The fast path reads events of HTTP APIs and function URLs, and no others."""
    assert assert_same(json.dumps(load(name)).encode()) is (name in USUAL)


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b'{"a":"\\ud800"}'])
def test_no_event(payload):
    """The fast path declines any other event."""
    assert read_fast(payload) is None


@pytest.mark.parametrize("key", ["methodArn", "routeArn", "method"])
def test_key_of_another_kind(key):
    """The fast path declines an event with a key of another kind."""
    assert not assert_same(json.dumps(load("http_api") | {key: "a"}).encode())


@pytest.mark.parametrize(
    "key", ["elb", "serviceArn", "serviceNetworkArn", "targetGroupArn", "connectionId"]
)
def test_context_of_another_kind(key):
    """The fast path declines a context with a key of another kind."""
    event = load("http_api")
    event["requestContext"] |= {key: {"a": "b"}}

    assert not assert_same(json.dumps(event).encode())


KEYS = st.sampled_from(
    [
        *("method", "raw_path", "path", "httpMethod", "methodArn", "routeArn"),
        *("requestContext", "rawPath", "headers", "cookies", "body", "version"),
    ]
)
CONTEXT_KEYS = st.sampled_from(
    [
        *("elb", "serviceArn", "serviceNetworkArn", "targetGroupArn", "connectionId"),
        *("eventType", "http", "domainName", "domain_name"),
    ]
)
VALUES = st.sampled_from(
    [
        *(None, "", "GET", "/a", "x.lambda-url.eu-west-1.on.aws", 1, True, [], {}),
        *({"method": "GET"}, {"method": 1}, {"a": "b"}, ["a=b"]),
    ]
)


@given(
    name=st.sampled_from(NAMES),
    keys=st.dictionaries(KEYS, VALUES, max_size=2),
    context_keys=st.dictionaries(CONTEXT_KEYS, VALUES, max_size=2),
)
@settings(max_examples=500)
def test_any_event(name, keys, context_keys):
    """The fast path reads an event exactly as ``classify`` and its kind do.

    Keys that speak for other kinds are mixed in, with values of any type.
    """
    event = load(name) | keys
    if isinstance(context := event.get("requestContext"), dict):
        event["requestContext"] = context | context_keys

    assert_same(json.dumps(event).encode())
