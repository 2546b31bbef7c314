"""Events of Application Load Balancers, in both modes of a target group."""

import pytest

from lambda_adapter.errors import EventError
from lambda_adapter.http.messages import Request, Response
from tests.catalogue import load
from tests.events.examples import added_to, reply_of, request_of, response, values_of

KINDS = ["alb", "alb_multi_value"]


def with_parameters(name, parameters):
    """Return an event with these parameters, each a list of values."""
    if name == "alb_multi_value":
        return load(name, multiValueQueryStringParameters=parameters)
    last = {parameter: values[-1] for parameter, values in parameters.items()}
    return load(name, queryStringParameters=last)


def test_request_single():
    """Path and query arrive encoded, and are forwarded unchanged."""
    event = load("alb")

    request = request_of(event)

    assert request == Request(
        b"POST",
        b"/orders/caf%C3%A9%20au%20lait?plus=a+b&encoded=a%2Bb%26c&flag=",
        [
            (b"host", b"www.example.com"),
            (b"accept", b"*/*"),
            (b"content-type", b"text/plain"),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-trace-id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"x-forwarded-for", b"192.0.2.10"),
            (b"x-forwarded-port", b"80"),
            (b"x-forwarded-proto", b"http"),
            (b"cookie", b"theme=dark; session=s%3Aabc"),
            (b"content-length", b"9"),
            *added_to(event),
        ],
        b"two lines",
    )


def test_request_multi_value():
    """Every value of a header is forwarded, but cookies become one header."""
    event = load("alb_multi_value")

    request = request_of(event)

    assert request == Request(
        b"GET",
        b"/search?tag=a&tag=b%20c&redirect=https%3A%2F%2Fexample.com%2Fa",
        [
            (b"host", b"www.example.com"),
            (b"accept", b"*/*"),
            (b"x-probe", b"first"),
            (b"x-probe", b"second"),
            (b"x-forwarded-for", b"192.0.2.10"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
            (b"cookie", b"theme=dark; session=s%3Aabc"),
            *added_to(event),
        ],
    )


def test_request_health_check():
    """A health check has no Host, and no client that used https."""
    event = load("alb_health_check")

    request = request_of(event)

    assert request == Request(
        b"GET",
        b"/health",
        [
            (b"host", b"localhost"),
            (b"user-agent", b"ELB-HealthChecker/2.0"),
            *added_to(event),
        ],
    )


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        pytest.param({"a": ["b+c"]}, b"a=b+c", id="plus"),
        pytest.param({"a": ["b%2Bc"]}, b"a=b%2Bc", id="escape"),
        pytest.param({"a": ["%zz%"]}, b"a=%zz%", id="bad-escape"),
        pytest.param({"a": ["%FF"]}, b"a=%FF", id="not-utf-8"),
        pytest.param({"a%5B%5D": ["1"]}, b"a%5B%5D=1", id="name"),
        pytest.param({"a": ["b=c"]}, b"a=b=c", id="equals"),
        pytest.param({"z": ["1"], "a": ["2"]}, b"z=1&a=2", id="order"),
        pytest.param({"a": ["b c#d"]}, b"a=b%20c%23d", id="unsafe"),
        pytest.param({"flag": [""]}, b"flag=", id="empty"),
        pytest.param({}, b"", id="none"),
    ],
)
def test_request_query(name, parameters, query):
    """Parameters arrive as sent: they are neither decoded nor encoded."""
    request = request_of(with_parameters(name, parameters))

    assert request.target.partition(b"?")[2] == query


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("path", ["/a%2Fb", "//a", "/a/../b", "/%", "/a;b=c,d", "/\\"])
def test_request_path(name, path):
    """A path is forwarded byte for byte."""
    request = request_of(load(name, path=path))

    assert request.target.partition(b"?")[0] == path.encode()


def test_request_multi_value_without_parameters():
    """A map that is null counts as empty."""
    event = load("alb_multi_value", multiValueQueryStringParameters=None)

    assert request_of(event).target == b"/search"


def test_request_null_single_map():
    """In multi-value mode, the map of single values may be null."""
    event = load("alb_multi_value", headers=None, queryStringParameters=None)

    request = request_of(event)

    assert values_of(request.fields, b"x-probe") == [b"first", b"second"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"httpMethod": None}, id="method"),
        pytest.param({"path": None}, id="path"),
        pytest.param({"headers": []}, id="headers"),
        pytest.param({"headers": {"a": ["b"]}}, id="header"),
        pytest.param({"queryStringParameters": "a=b"}, id="query"),
        pytest.param({"body": []}, id="body"),
        pytest.param({"isBase64Encoded": "true"}, id="base64"),
    ],
)
def test_request_wrong_type(changes):
    """A value of the wrong type is an error."""
    with pytest.raises(EventError, match="the event can't be read"):
        request_of(load("alb", **changes))


ANSWER = response(
    b"hello",
    (b"Content-Type", b"text/plain"),
    (b"Set-Cookie", b"a=1"),
    (b"X-Probe", b"1"),
    (b"x-probe", b"2"),
    (b"Connection", b"close"),
)


def test_reply_single():
    """The reply to an event with single values has single values."""
    reply = reply_of(load("alb"), ANSWER)

    assert reply == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "headers": {
            "Content-Type": "text/plain",
            "X-Probe": "1, 2",
            "set-cookie": "a=1",
        },
        "body": "hello",
        "isBase64Encoded": False,
    }


def test_reply_multi_value():
    """The reply to an event with lists has lists, or ALB drops the headers."""
    reply = reply_of(load("alb_multi_value"), ANSWER)

    assert reply == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "multiValueHeaders": {
            "Content-Type": ["text/plain"],
            "Set-Cookie": ["a=1"],
            "X-Probe": ["1", "2"],
        },
        "body": "hello",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("count", [2, 3, 10, 512])
def test_reply_cookies_single(count):
    """In a map of single values, each cookie has ``Set-Cookie`` in other capitals."""
    cookies = [f"c{number}=1" for number in range(count)]
    fields = [(b"Set-Cookie", cookie.encode()) for cookie in cookies]

    reply = reply_of(load("alb"), response(b"", *fields))

    assert list(reply["headers"].values()) == cookies
    assert {name.lower() for name in reply["headers"]} == {"set-cookie"}


def test_reply_cookies_multi_value():
    """Several cookies are a list of values."""
    fields = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2")]

    reply = reply_of(load("alb_multi_value"), response(b"", *fields))

    assert reply["multiValueHeaders"] == {"Set-Cookie": ["a=1", "b=2"]}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("status", "reason", "description"),
    [
        pytest.param(200, b"OK", "200 OK", id="given"),
        pytest.param(200, b"Fine", "200 Fine", id="own"),
        pytest.param(404, b"", "404 Not Found", id="known"),
        pytest.param(599, b"", "599 Unknown", id="unknown"),
        pytest.param(200, b"caf\xe9", "200 café", id="latin-1"),
    ],
)
def test_reply_description(name, status, reason, description):
    """ALB gets a status with a reason, even if the application gives none."""
    reply = reply_of(load(name), Response(status, reason, []))

    assert reply["statusDescription"] == description


@pytest.mark.parametrize("name", KINDS)
def test_reply_without_body(name):
    """The body of a reply is always a string, as ALB requires."""
    reply = reply_of(load(name), response(status=304))

    assert (reply["body"], reply["isBase64Encoded"]) == ("", False)
