"""Events of VPC Lattice, in both versions."""

import pytest

from lambda_adapter.errors import EventError
from lambda_adapter.http.messages import Request
from tests.catalogue import load
from tests.events.examples import (
    CONTEXT,
    added_to,
    reply_of,
    request_of,
    response,
    values_of,
)

KINDS = ["vpc_lattice", "vpc_lattice_v1"]

HOST = b"svc-0abc.7d67968.vpc-lattice-svcs.eu-central-1.on.aws"


def test_request_v2():
    """Values are in lists, and each is forwarded."""
    event = load("vpc_lattice")

    request = request_of(event)

    assert request == Request(
        b"DELETE",
        b"/orders/7?tag=a&tag=b%20c&empty=",
        [
            (b"host", HOST),
            (b"accept", b"*/*"),
            (b"x-forwarded-for", b"10.0.1.23"),
            (b"x-probe", b"first"),
            (b"x-probe", b"second"),
            *added_to(event),
        ],
    )


def test_request_v1():
    """Values arrive joined, and a query within the path is the client's own."""
    request = request_of(load("vpc_lattice_v1"))

    assert (request.method, request.target) == (b"POST", b"/orders/7?plus=a+b&flag")
    assert request.body == b"hello"
    assert request.fields[:-2] == [
        (b"host", HOST),
        (b"accept", b"*/*"),
        (b"x-forwarded-for", b"10.0.1.23"),
        (b"x-probe", b"first, second"),
        (b"content-length", b"5"),
    ]
    assert request.fields[-1] == (b"x-amzn-lambda-context", CONTEXT.lambda_context)


@pytest.mark.parametrize(
    ("path", "parameters", "target"),
    [
        pytest.param("/a", {"b": ["c d"]}, b"/a?b=c%20d", id="parameters"),
        pytest.param("/a?b=c+d", {"b": ["c d"]}, b"/a?b=c+d", id="query-in-path"),
        pytest.param("/a?b?c", {}, b"/a?b?c", id="second-mark"),
        pytest.param("/a?", {"b": ["c"]}, b"/a", id="empty-query-in-path"),
        pytest.param("/a", None, b"/a", id="null"),
        pytest.param("/a%20b//c", {}, b"/a%20b//c", id="encoded"),
        pytest.param("/a b#c", {}, b"/a%20b%23c", id="unsafe"),
        pytest.param("", {}, b"/", id="empty"),
    ],
)
def test_request_target(path, parameters, target):
    """A query within the path replaces the parameters."""
    event = load("vpc_lattice", path=path, queryStringParameters=parameters)

    assert request_of(event).target == target


def test_request_v1_parameters():
    """Version 1 has parameters of single values, under another name."""
    event = load(
        "vpc_lattice_v1", raw_path="/a", query_string_parameters={"b": "c&d", "e": ""}
    )

    assert request_of(event).target == b"/a?b=c%26d&e="


def test_request_single_values_in_v2():
    """Version 2 has been seen with values outside of lists."""
    event = load("vpc_lattice", headers={"host": "example.com", "x-probe": "1"})

    request = request_of(event)

    assert values_of(request.fields, b"host") == [b"example.com"]
    assert values_of(request.fields, b"x-probe") == [b"1"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("vpc_lattice", {"method": None}, id="v2-method"),
        pytest.param("vpc_lattice", {"path": 5}, id="v2-path"),
        pytest.param("vpc_lattice", {"headers": {"a": {}}}, id="v2-header"),
        pytest.param("vpc_lattice", {"body": 5}, id="v2-body"),
        pytest.param("vpc_lattice_v1", {"raw_path": 5}, id="v1-path"),
        pytest.param("vpc_lattice_v1", {"is_base64_encoded": 5}, id="v1-base64"),
        pytest.param("vpc_lattice_v1", {"query_string_parameters": []}, id="v1-query"),
    ],
)
def test_request_wrong_type(name, changes):
    """A value of the wrong type is an error."""
    with pytest.raises(EventError, match="the event can't be read"):
        request_of(load(name, **changes))


@pytest.mark.parametrize("name", KINDS)
def test_reply(name):
    """The reply has single values; its cookies differ in their capitals."""
    answer = response(
        b'{"a": 1}',
        (b"content-type", b"application/json"),
        (b"set-cookie", b"a=1"),
        (b"vary", b"accept"),
        (b"set-cookie", b"b=2"),
        (b"Vary", b"origin"),
        (b"upgrade", b"h2c"),
    )

    reply = reply_of(load(name), answer)

    cookies = {
        spelling: reply["headers"].pop(spelling)
        for spelling in list(reply["headers"])
        if spelling.lower() == "set-cookie"
    }
    assert list(cookies.values()) == ["a=1", "b=2"]
    assert reply == {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "vary": "accept, origin"},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
