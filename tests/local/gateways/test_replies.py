"""Replies: what each gateway makes of what a function says."""

import base64
import json
from typing import Any

import pytest

from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.gateways.gateway import ClientRequest, MalformedReplyError

LOAD_BALANCERS = ["alb", "alb-multi-value", "vpc-lattice"]
FORMAT_2 = ["http-api", "function-url"]
STRICT = ["rest-api", *LOAD_BALANCERS]
OCTETS = base64.b64encode(b"\xff\0").decode()


def response(
    name: str, reply: Any, *binary: str, accept: str = "*/*", method: str = "GET"
) -> Response:
    """Return what a gateway makes of a reply."""
    arrival = ClientRequest(method, "/", "", [(b"Accept", accept.encode())])
    gateway = GATEWAYS[name](binary_media_types=binary)
    return gateway.response(json.dumps(reply).encode(), arrival)


@pytest.mark.parametrize("name", STRICT)
@pytest.mark.parametrize("reply", [{}, "text", [], None, 1, {"statusCode": None}])
def test_reply_without_a_status(name: str, reply: Any):
    """A reply without a status is malformed to load balancers and REST APIs."""
    with pytest.raises(MalformedReplyError):
        response(name, reply)


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param({"statusCode": "two hundred"}, id="word"),
        pytest.param({"statusCode": 99}, id="small"),
        pytest.param({"statusCode": 600}, id="large"),
        pytest.param({"statusCode": True}, id="boolean"),
        pytest.param({"statusCode": 200, "body": {}}, id="body"),
    ],
)
def test_malformed_reply(name: str, reply: Any):
    """An invalid status, or a body that is not a string, is malformed."""
    with pytest.raises(MalformedReplyError):
        response(name, reply)


@pytest.mark.parametrize("name", GATEWAYS)
def test_reply_that_is_no_json(name: str):
    """A reply that is not JSON is malformed."""
    with pytest.raises(MalformedReplyError):
        GATEWAYS[name]().response(b"{", ClientRequest("GET", "/", "", []))


@pytest.mark.parametrize(
    ("name", "reply", "body"),
    [
        ("http-api", {"a": 1}, b'{"a": 1}'),
        ("http-api", "text", b'"text"'),
        ("function-url", {"a": 1}, b'{"a": 1}'),
        ("function-url", "text", b"text"),
        ("function-url", [1], b"[1]"),
    ],
)
def test_reply_in_no_format(name: str, reply: Any, body: bytes):
    """In format 2.0, a reply without a status is a body of JSON."""
    made = response(name, reply)

    assert (made.status, made.body) == (200, body)
    assert (b"content-type", b"application/json") in made.fields


@pytest.mark.parametrize("name", GATEWAYS)
def test_status_in_a_string(name: str):
    """A status may be digits in a string, but not to a load balancer."""
    reply = {"statusCode": "201"}

    if name.startswith("alb"):
        with pytest.raises(MalformedReplyError):
            response(name, reply)
    else:
        assert response(name, reply).status == 201


@pytest.mark.parametrize("name", GATEWAYS)
def test_unknown_key(name: str):
    """A REST API refuses an unknown key; other gateways ignore it."""
    reply = {"statusCode": 200, "statusDescription": "200 OK"}

    if name == "rest-api":
        with pytest.raises(MalformedReplyError, match="statusDescription"):
            response(name, reply)
    else:
        assert response(name, reply).status == 200


@pytest.mark.parametrize("name", GATEWAYS)
def test_both_maps(name: str):
    """Of two maps of headers, a REST API takes both, and each other gateway its own."""
    maps = {"headers": {"a": "1"}, "multiValueHeaders": {"a": ["2"], "b": ["3"]}}
    single, both = [(b"a", b"1")], [(b"a", b"1"), (b"a", b"2"), (b"b", b"3")]
    expected = {"rest-api": both, "alb-multi-value": both[1:]}

    made = response(name, {"statusCode": 200, **maps})

    own = [field for field in made.fields if len(field[0]) == 1]
    assert own == expected.get(name, single)


def test_value_in_both_maps():
    """A value in both maps of a REST API counts once, in any case of its name."""
    maps = {"headers": {"a": "1"}, "multiValueHeaders": {"A": ["1", "2", "2"]}}

    made = response("rest-api", {"statusCode": 200, **maps})

    own = [field for field in made.fields if len(field[0]) == 1]
    assert own == [(b"A", b"1"), (b"A", b"2"), (b"A", b"2")]


@pytest.mark.parametrize("name", sorted(set(GATEWAYS) - {"rest-api"}))
def test_base64(name: str):
    """A body in base64 is decoded."""
    reply = {"statusCode": 200, "body": OCTETS, "isBase64Encoded": True}

    assert response(name, reply).body == b"\xff\0"


@pytest.mark.parametrize(
    ("binary", "accept", "decoded"),
    [
        ((), "*/*", False),
        (("*/*",), "*/*", True),
        (("*/*",), "image/png", True),
        (("image/*",), "image/png", True),
        (("image/*",), "*/*", False),
        (("image/*",), "text/html, image/png", False),
        (("image/*",), "image/png;q=0.9, text/html", True),
        (("image/png",), "image/png", True),
        (("image/png",), "image/gif", False),
    ],
)
def test_base64_of_a_rest_api(binary: tuple[str, ...], accept: str, decoded: bool):
    """A REST API decodes base64 if the first type that is accepted is binary."""
    reply = {"statusCode": 200, "body": OCTETS, "isBase64Encoded": True}

    made = response("rest-api", reply, *binary, accept=accept)

    assert made.body == (b"\xff\0" if decoded else OCTETS.encode())


@pytest.mark.parametrize("name", GATEWAYS)
def test_base64_that_is_none(name: str):
    """A body that is decoded must be valid base64."""
    reply = {"statusCode": 200, "body": "?", "isBase64Encoded": True}

    with pytest.raises(MalformedReplyError, match="base64"):
        response(name, reply, "*/*")


def test_renamed_fields():
    """A REST API renames headers that it sends itself, such as Date and Server."""
    fields = {"Date": "today", "server": "mine", "X-A": "1"}

    made = response("rest-api", {"statusCode": 200, "headers": fields})

    assert (b"x-amzn-Remapped-Date", b"today") in made.fields
    assert (b"x-amzn-Remapped-Server", b"mine") in made.fields
    assert (b"X-A", b"1") in made.fields


@pytest.mark.parametrize("name", FORMAT_2)
def test_cookies_of_format_2(name: str):
    """Each cookie becomes a separate header."""
    made = response(name, {"statusCode": 200, "cookies": ["a=1", "b=2"]})

    cookies = [value for key, value in made.fields if key == b"set-cookie"]
    assert cookies == [b"a=1", b"b=2"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_length(name: str):
    """The length is the body's, whatever the reply says."""
    reply = {
        "statusCode": 200,
        "headers": {"content-length": "9"},
        "multiValueHeaders": {"content-length": ["9"]},
        "body": "abc",
    }

    made = response(name, reply)

    lengths = [value for key, value in made.fields if key.lower() == b"content-length"]
    assert lengths == [b"3"]


def test_largest_reply_to_a_load_balancer():
    """A reply of more than 1 MB is malformed to a load balancer."""
    with pytest.raises(MalformedReplyError, match="1 MB"):
        response("alb", {"statusCode": 200, "body": "x" * 1_048_576})


@pytest.mark.parametrize("name", ["http-api", *LOAD_BALANCERS])
def test_stream_to_a_gateway_without(name: str):
    """A gateway that does not stream refuses a prelude."""
    with pytest.raises(MalformedReplyError):
        GATEWAYS[name]().streamed_response(b'{"statusCode":200}')


def test_streamed_length():
    """A function URL renames the length of a streamed response."""
    prelude = b'{"statusCode":200,"headers":{"Content-Length":"3"},"cookies":["a=1"]}'

    head = GATEWAYS["function-url"]().streamed_response(prelude)

    assert head.fields == [
        (b"x-amzn-Remapped-Content-Length", b"3"),
        (b"set-cookie", b"a=1"),
        (b"content-type", b"application/json"),
    ]
