"""Events of REST APIs, and of HTTP APIs in format 1.0."""

import json

import pytest

from lambda_adapter.errors import EventError
from lambda_adapter.http.messages import Request
from tests.catalogue import load
from tests.events.examples import (
    added_to,
    encode,
    prelude_of,
    read,
    reply_of,
    request_of,
    response,
    values_of,
    without,
)

KINDS = ["rest_api", "http_api_v1"]


def test_request_rest_api():
    """Every header and value of a REST API's event has its place in the request."""
    event = load("rest_api")

    request = request_of(event)

    body = '{"item":"crème brûlée","count":2}'.encode()
    assert request == Request(
        b"POST",
        b"/orders/caf%C3%A9%20au%20lait?page=2&note=a%2Bb%20%26%20c%3Dd",
        [
            (b"host", b"a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"),
            (b"Accept", b"text/html, application/json;q=0.9"),
            (b"Content-Type", b"application/json; charset=utf-8"),
            (b"User-Agent", b"curl/8.9.1"),
            (b"X-Amzn-Trace-Id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"X-Forwarded-For", b"192.0.2.10"),
            (b"X-Forwarded-Port", b"443"),
            (b"X-Forwarded-Proto", b"https"),
            (b"cookie", b"theme=dark; session=s%3Aabc"),
            (b"content-length", b"%d" % len(body)),
            *added_to(event),
        ],
        body,
    )


def test_request_multi_value():
    """Every value of a header and of a parameter is forwarded, in order."""
    event = load("rest_api_multi_value")

    request = request_of(event)

    assert request == Request(
        b"GET",
        b"/search?tag=a&tag=b&empty=&redirect=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d",
        [
            (b"host", b"api.example.com"),
            (b"Accept", b"*/*"),
            (b"X-Probe", b"first"),
            (b"X-Probe", b"second"),
            (b"X-Forwarded-Proto", b"https"),
            *added_to(event),
        ],
    )


def test_request_http_api_v1():
    """A path in format 1.0 arrives decoded, with its stage, and is encoded again."""
    event = load("http_api_v1")

    request = request_of(event)

    assert request == Request(
        b"PUT",
        b"/dev/orders/caf%C3%A9%207?q=x&q=a%20b",
        [
            (b"host", b"h7t8p9a0b1.execute-api.eu-central-1.amazonaws.com"),
            (b"Content-Type", b"application/x-www-form-urlencoded"),
            (b"User-Agent", b"curl/8.9.1"),
            (b"X-Amzn-Trace-Id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"X-Forwarded-For", b"192.0.2.10"),
            (b"X-Forwarded-Port", b"443"),
            (b"X-Forwarded-Proto", b"https"),
            (b"cookie", b"a=1; b=2"),
            (b"content-length", b"13"),
            *added_to(event),
        ],
        b"count=2&a=b+c",
    )


def test_request_test_console():
    """A test from the console has no headers: Host is added, and nothing else."""
    event = load("rest_api_test_console")

    request = request_of(event)

    assert request == Request(
        b"GET",
        b"/health",
        [
            (b"host", b"testPrefix.testDomainName"),
            (b"x-forwarded-proto", b"https"),
            *added_to(event),
        ],
    )


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(load("rest_api_null_context"), id="null"),
        pytest.param(
            without(load("rest_api_null_context"), "requestContext"), id="missing"
        ),
    ],
)
def test_request_without_context(event):
    """A test event may have no ``requestContext``; then Host is localhost."""
    request = request_of(event)

    assert request.target == b"/health"
    assert values_of(request.fields, b"host") == [b"localhost"]


@pytest.mark.parametrize("name", KINDS)
def test_request_single_values(name):
    """An event written by hand may have the maps of single values alone."""
    event = load(
        name,
        multiValueHeaders=None,
        multiValueQueryStringParameters=None,
        headers={"Host": "example.com", "X-Probe": "one", "X-Number": 7},
        queryStringParameters={"a": "b c", "n": 7, "t": True, "none": None},
    )

    request = request_of(event)

    assert request.target.endswith(b"?a=b%20c&n=7&t=true&none=")
    assert values_of(request.fields, b"x-probe") == [b"one"]
    assert values_of(request.fields, b"x-number") == [b"7"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        pytest.param({"a": ["b c"]}, b"a=b%20c", id="space"),
        pytest.param({"a": ["b+c"]}, b"a=b%2Bc", id="plus"),
        pytest.param({"a": ["100%"]}, b"a=100%25", id="percent"),
        pytest.param({"a": ["%20"]}, b"a=%2520", id="escape"),
        pytest.param({"a": ["b&c=d"]}, b"a=b%26c%3Dd", id="ampersand"),
        pytest.param({"a=b": ["c"]}, b"a%3Db=c", id="equals-in-name"),
        pytest.param({"a": ["#?/"]}, b"a=%23%3F%2F", id="delimiters"),
        pytest.param({"a": ["é"]}, b"a=%C3%A9", id="utf-8"),
        pytest.param({"a": ["\r\nX: y"]}, b"a=%0D%0AX%3A%20y", id="line-break"),
        pytest.param({"a": [""]}, b"a=", id="empty"),
        pytest.param({"z": ["1"], "a": ["2"]}, b"z=1&a=2", id="order-of-names"),
        pytest.param({"a": ["2", "1", "2"]}, b"a=2&a=1&a=2", id="order-of-values"),
        pytest.param({"a": []}, b"", id="no-value"),
        pytest.param({"a-_.~": ["-_.~"]}, b"a-_.~=-_.~", id="unreserved"),
    ],
)
def test_request_query(name, parameters, query):
    """A query arrives decoded, so everything reserved in it is encoded again."""
    event = load(name, multiValueQueryStringParameters=parameters)
    event["queryStringParameters"] = None

    request = request_of(event)

    assert request.target.partition(b"?")[2] == query


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/a%2Fb%20c", b"/a%2Fb%20c", id="encoded"),
        pytest.param("//a", b"//a", id="two-slashes"),
        pytest.param("/a/../b/./c", b"/a/../b/./c", id="dot-segments"),
        pytest.param("/a;v=1/b", b"/a;v=1/b", id="semicolon"),
        pytest.param("/a\\b", b"/a\\b", id="backslash"),
        pytest.param("/100%", b"/100%", id="bare-percent"),
        pytest.param("", b"/", id="empty"),
    ],
)
def test_request_rest_path(path, target):
    """A REST API's path arrives encoded, and is forwarded unchanged."""
    event = load("rest_api", path=path, multiValueQueryStringParameters=None)
    event["queryStringParameters"] = None

    request = request_of(event)

    assert request.target == target


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("changes", "names"),
    [
        pytest.param({"httpMethod": 5}, "httpMethod", id="method"),
        pytest.param({"path": ["/"]}, "path", id="path"),
        pytest.param({"body": {"a": 1}}, "body", id="body-object"),
        pytest.param({"body": 5}, "body", id="body-number"),
        pytest.param({"isBase64Encoded": "no"}, "isBase64Encoded", id="base64"),
        pytest.param({"multiValueHeaders": []}, "multiValueHeaders", id="fields"),
        pytest.param({"multiValueHeaders": {"a": "b"}}, "multiValueHeaders", id="list"),
        pytest.param({"requestContext": "prod"}, "object", id="context"),
    ],
)
def test_request_wrong_type(name, changes, names):
    """A value of the wrong type is an error that names it."""
    event = load(name, **changes)

    with pytest.raises(EventError, match=names):
        request_of(event)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("changes", [{"isBase64Encoded": None}, {}], ids=["null", "no"])
def test_request_is_base64_encoded_missing(name, changes):
    """A body without ``isBase64Encoded`` is text."""
    event = without(load(name, body="QUJD"), "isBase64Encoded") | changes

    assert request_of(event).body == b"QUJD"


@pytest.mark.parametrize("name", KINDS)
def test_reply(name):
    """API Gateway refuses any key but these four, and takes duplicates as lists."""
    answer = response(
        b"<p>caf\xc3\xa9</p>",
        (b"Content-Type", b"text/html"),
        (b"Set-Cookie", b"a=1; Expires=Wed, 04 Jun 2025 12:00:00 GMT"),
        (b"X-Probe", b"1"),
        (b"set-cookie", b"b=2"),
        (b"x-probe", b"2"),
        (b"Connection", b"keep-alive, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        status=201,
    )

    reply = reply_of(load(name), answer)

    assert reply == {
        "statusCode": 201,
        "multiValueHeaders": {
            "Content-Type": ["text/html"],
            "Set-Cookie": ["a=1; Expires=Wed, 04 Jun 2025 12:00:00 GMT", "b=2"],
            "X-Probe": ["1", "2"],
        },
        "body": "<p>café</p>",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("name", KINDS)
def test_reply_binary(name):
    """A body that is not text becomes base64."""
    answer = response(b"\x89PNG\xff", (b"content-type", b"image/png"))

    reply = reply_of(load(name), answer)

    assert reply == {
        "statusCode": 200,
        "multiValueHeaders": {"content-type": ["image/png"]},
        "body": "iVBOR/8=",
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize("status", [204, 304])
def test_reply_without_content(status):
    """A response without content gets neither a body nor headers about one."""
    reply = reply_of(load("rest_api"), response(b"", (b"etag", b'"1"'), status=status))

    assert reply == {
        "statusCode": status,
        "multiValueHeaders": {"etag": ['"1"']},
        "body": "",
        "isBase64Encoded": False,
    }


def test_reply_is_utf_8():
    """Text is not escaped, which would make it longer."""
    event = load("rest_api")
    answer = response("é\u2028".encode(), (b"content-type", b"text/plain"))

    reply = read(encode(event)).encode_response(answer)

    assert "é\u2028".encode() in reply


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("Srīperumbūdūr é".encode(), "Srīperumbūdūr é", id="utf-8"),
        pytest.param(b"caf\xe9", "café", id="latin-1"),
        pytest.param(b"\xc3\xa9 \xe9", "\xc3\xa9 é", id="mixed"),
    ],
)
def test_reply_field_beyond_ascii(value, text):
    """A header's value is read as UTF-8 if it is valid, else as Latin-1."""
    reply = reply_of(load("rest_api"), response(b"", (b"x-name", value)))

    assert reply["multiValueHeaders"] == {"x-name": [text]}


def test_request_context_is_given_as_it_came():
    """A key that AWS adds to ``requestContext`` later reaches the application."""
    event = load("rest_api")
    event["requestContext"] |= {"new": {"é": [None, 1.50, "\u007f\U0001f600"]}}

    request = request_of(event)

    field = values_of(request.fields, b"x-amzn-request-context")[0]
    assert field.isascii()
    assert json.loads(field) == event["requestContext"]


def test_prelude():
    """A prelude is a reply without its body: every value in a list."""
    answer = response(
        b"hello",
        (b"Content-Type", b"text/event-stream"),
        (b"Set-Cookie", b"a=1; Path=/"),
        (b"X-Probe", b"1"),
        (b"set-cookie", b"b=2"),
        (b"x-probe", b"2"),
        (b"Connection", b"keep-alive, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Trailer", b"X-Sum"),
        status=201,
    )

    prelude = prelude_of(load("rest_api"), answer)

    assert prelude == (
        b'{"statusCode":201,"multiValueHeaders":{'
        b'"Content-Type":["text/event-stream"],'
        b'"Set-Cookie":["a=1; Path=/","b=2"],"X-Probe":["1","2"]}}'
    )


def test_prelude_empty():
    """A prelude has every key, even if empty."""
    prelude = prelude_of(load("rest_api"), response(status=204))

    assert prelude == b'{"statusCode":204,"multiValueHeaders":{}}'
