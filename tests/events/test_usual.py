"""The most frequent events, read at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events import classify
from lambda_adapter.events.context import Context
from lambda_adapter.events.event import Event
from lambda_adapter.events.usual import read_usual
from lambda_adapter.http.messages import Request
from tests.catalogue import NAMES, load

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
    event = read_usual(payload)
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
    """Events of HTTP APIs and function URLs are read at once, and no others."""
    assert assert_same(json.dumps(load(name)).encode()) is (name in USUAL)


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b'{"a":"\\ud800"}'])
def test_no_event(payload):
    """What is no event of such a kind is left to be looked at closely."""
    assert read_usual(payload) is None


@pytest.mark.parametrize("key", ["methodArn", "routeArn", "method"])
def test_key_of_another_kind(key):
    """An event with a key that speaks for another kind is left to a close look."""
    assert not assert_same(json.dumps(load("http_api") | {key: "a"}).encode())


@pytest.mark.parametrize(
    "key", ["elb", "serviceArn", "serviceNetworkArn", "targetGroupArn", "connectionId"]
)
def test_context_of_another_kind(key):
    """A context with a key that speaks for another kind is left to a close look."""
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
    """An event that is read at once becomes what it would if it were looked at closely.

    Keys that speak for other kinds are mixed in, with values of any type.
    """
    event = load(name) | keys
    if isinstance(context := event.get("requestContext"), dict):
        event["requestContext"] = context | context_keys

    assert_same(json.dumps(event).encode())
