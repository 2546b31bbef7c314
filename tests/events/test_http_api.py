"""Events of HTTP APIs in format 2.0, and of function URLs."""

import pytest

from lambda_adapter.errors import EventError
from lambda_adapter.http.messages import Request
from tests.catalogue import load
from tests.events.examples import (
    added_to,
    prelude_of,
    reply_of,
    request_of,
    response,
    values_of,
    without,
)

KINDS = ["http_api", "function_url"]


def with_path(name, path):
    """Return an event for a path, without a query."""
    return load(name, rawPath=path, rawQueryString="")


def test_request_http_api():
    """A decoded path is encoded again; query, headers and body are the client's."""
    event = load("http_api")

    request = request_of(event)

    assert request == Request(
        b"POST",
        b"/orders/caf%C3%A9%207?repeat=one&repeat=two"
        b"&redirect=https%3A%2F%2Fexample.com%2Fa&plus=a+b&flag",
        [
            (b"host", b"h7t8p9a0b1.execute-api.eu-central-1.amazonaws.com"),
            (b"accept", b"*/*"),
            (b"content-type", b"application/json"),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-trace-id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"x-forwarded-for", b"192.0.2.10"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
            (b"x-probe", b"first,second"),
            (b"cookie", b"theme=dark; session=s%3Aabc"),
            (b"content-length", b"16"),
            *added_to(event),
        ],
        b'{"count": 2}\r\n\r\n',
    )


def test_request_binary():
    """A body in base64 is decoded, and its length is that of its bytes."""
    event = load("http_api_binary")

    request = request_of(event)

    assert request == Request(
        b"POST",
        b"/prod/upload",
        [
            (b"host", b"h7t8p9a0b1.execute-api.eu-central-1.amazonaws.com"),
            (b"accept", b"*/*"),
            (b"content-type", b"image/png"),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-trace-id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"x-forwarded-for", b"192.0.2.10"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
            (b"content-length", b"11"),
            *added_to(event),
        ],
        b"\x89PNG\r\n\x1a\n\x00\xff\xfe",
    )


def test_request_function_url():
    """A function URL's path arrives encoded, and its repeated cookies count once."""
    event = load("function_url")

    request = request_of(event)

    assert request == Request(
        b"GET",
        b"/orders/caf%C3%A9%207/?q=a%20b&empty=",
        [
            (b"host", b"f1u2n3c4t5i6o7n8.lambda-url.eu-central-1.on.aws"),
            (b"accept", b"*/*"),
            (b"user-agent", b"curl/8.9.1"),
            (b"x-amzn-tls-cipher-suite", b"TLS_AES_128_GCM_SHA256"),
            (b"x-amzn-tls-version", b"TLSv1.3"),
            (b"x-amzn-trace-id", b"Root=1-665f0c1a-0123456789abcdef01234567"),
            (b"x-forwarded-for", b"192.0.2.10"),
            (b"x-forwarded-port", b"443"),
            (b"x-forwarded-proto", b"https"),
            (b"cookie", b"theme=dark; session=s%3Aabc"),
            *added_to(event),
        ],
    )


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/a b", b"/a%20b", id="space"),
        pytest.param("/a#b", b"/a%23b", id="number-sign"),
        pytest.param("/a?b", b"/a%3Fb", id="question-mark"),
        pytest.param("/a%b", b"/a%25b", id="bare-percent"),
        pytest.param("/100%", b"/100%25", id="percent-at-end"),
        pytest.param("/a%2", b"/a%252", id="half-an-escape"),
        pytest.param("/a%2Fb", b"/a%2Fb", id="escape-stays"),
        pytest.param("/a%2fb", b"/a%2fb", id="escape-in-lower-case"),
        pytest.param("/%%41", b"/%25%41", id="percent-before-escape"),
        pytest.param("/é\U0001f600", b"/%C3%A9%F0%9F%98%80", id="utf-8"),
        pytest.param('/"<>\\^`{|}', b"/%22%3C%3E%5C%5E%60%7B%7C%7D", id="unwise"),
        pytest.param("/[a]", b"/%5Ba%5D", id="brackets"),
        pytest.param("/:@!$&'()*+,;=~-._", b"/:@!$&'()*+,;=~-._", id="allowed"),
        pytest.param("/a\r\nX: y", b"/a%0D%0AX:%20y", id="line-break"),
        pytest.param("/\0\x7f", b"/%00%7F", id="controls"),
        pytest.param("//a//b/", b"//a//b/", id="slashes"),
        pytest.param("/a/../b/.", b"/a/../b/.", id="dot-segments"),
        pytest.param("", b"/", id="empty"),
        pytest.param("a", b"/a", id="relative"),
        pytest.param("http://a/", b"/http://a/", id="absolute-form"),
    ],
)
def test_request_http_api_path(path, target):
    """Characters that a path can't have are escaped, and escapes stay."""
    request = request_of(with_path("http_api", path))

    assert request.target == target


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/a%20b", b"/a%20b", id="escape"),
        pytest.param("/a%2520b", b"/a%2520b", id="escaped-escape"),
        pytest.param("/a%2Fb", b"/a%2Fb", id="slash"),
        pytest.param("/100%", b"/100%", id="bare-percent"),
        pytest.param('/"<>\\^`{|}[]', b'/"<>\\^`{|}[]', id="unwise"),
        pytest.param("//a//b/", b"//a//b/", id="slashes"),
        pytest.param("/a/../b/%2e%2e/.", b"/a/../b/%2e%2e/.", id="dot-segments"),
        pytest.param("/a b\r\n", b"/a%20b%0D%0A", id="never-a-line-break"),
        pytest.param("/é?#", b"/%C3%A9%3F%23", id="never-a-delimiter"),
        pytest.param("", b"/", id="empty"),
    ],
)
def test_request_function_url_path(path, target):
    """A path that arrives encoded stays unchanged if it can stand in a line."""
    request = request_of(with_path("function_url", path))

    assert request.target == target


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("query", "sent"),
    [
        pytest.param("flag", b"flag", id="flag"),
        pytest.param("flag=", b"flag=", id="empty"),
        pytest.param("a+b=%2B&c=%zz", b"a+b=%2B&c=%zz", id="verbatim"),
        pytest.param("a=1&b=2&a=3", b"a=1&b=2&a=3", id="alternating"),
        pytest.param("a=?/:@'\"", b"a=?/:@'\"", id="visible"),
        pytest.param("a=b c#d\r\né", b"a=b%20c%23d%0D%0A%C3%A9", id="unsafe"),
        pytest.param(None, b"", id="null"),
    ],
)
def test_request_query(name, query, sent):
    """The query is forwarded unchanged, whatever ``queryStringParameters`` has."""
    request = request_of(load(name, rawQueryString=query))

    assert request.target.partition(b"?")[2] == sent


@pytest.mark.parametrize("name", KINDS)
def test_request_missing_path_and_query(name):
    """An event with neither path nor query requests the root."""
    event = without(load(name), "rawPath", "rawQueryString")

    assert request_of(event).target == b"/"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("cookies", "header", "sent"),
    [
        pytest.param(["a=1", "b=2"], None, [b"a=1; b=2"], id="cookies"),
        pytest.param(["a=1", "b=2"], "a=1; b=2", [b"a=1; b=2"], id="both"),
        pytest.param(None, "a=1; b=2", [b"a=1; b=2"], id="header"),
        pytest.param([], "a=1", [b"a=1"], id="no-cookies"),
        pytest.param(None, None, [], id="neither"),
    ],
)
def test_request_cookies(name, cookies, header, sent):
    """Cookies become one header, wherever the event has them."""
    event = load(name, cookies=cookies)
    event["headers"].pop("cookie", None)
    event["headers"] |= {} if header is None else {"cookie": header}

    request = request_of(event)

    assert values_of(request.fields, b"cookie") == sent


@pytest.mark.parametrize("headers", [None, {}])
def test_request_cookies_without_headers(headers):
    """Cookies become a header even if there is no other."""
    event = load("http_api", cookies=["a=1", "b=2"], headers=headers)

    assert values_of(request_of(event).fields, b"cookie") == [b"a=1; b=2"]


@pytest.mark.parametrize("cookie", ["a=1\r\nx: y", "a=\n", "a=\0"])
def test_request_cookie_injection(cookie):
    """A cookie can't end a line."""
    with pytest.raises(EventError, match="line break"):
        request_of(load("http_api", cookies=["b=2", cookie]))


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        pytest.param({"host": "www.example.com:8443"}, b"www.example.com:8443", id="h"),
        pytest.param({}, b"h7t8p9a0b1.execute-api.eu-central-1.amazonaws.com", id="d"),
    ],
)
def test_request_host(host, sent):
    """Without a Host header, the API's own name is the host."""
    event = load("http_api")
    del event["headers"]["host"]
    event["headers"] |= host

    request = request_of(event)

    assert request.fields[0] == (b"host", sent)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        pytest.param({}, [b"https"], id="missing"),
        pytest.param({"x-forwarded-proto": "http"}, [b"http"], id="given"),
        pytest.param({"forwarded": "proto=https"}, [], id="forwarded"),
    ],
)
def test_request_scheme(headers, sent):
    """X-Forwarded-Proto is https, and occurs once."""
    event = load("http_api")
    del event["headers"]["x-forwarded-proto"]
    event["headers"] |= headers

    request = request_of(event)

    assert values_of(request.fields, b"x-forwarded-proto") == sent


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rawPath": 5}, id="path"),
        pytest.param({"rawQueryString": {}}, id="query"),
        pytest.param({"headers": "a: b"}, id="headers"),
        pytest.param({"headers": {"a": ["b"]}}, id="header"),
        pytest.param({"cookies": "a=1"}, id="cookies"),
        pytest.param({"body": {}}, id="body"),
        pytest.param({"isBase64Encoded": 1}, id="base64"),
        pytest.param({"requestContext": {"http": {}}}, id="no-method"),
        pytest.param({"requestContext": {"http": {"method": None}}}, id="null-method"),
        pytest.param({"requestContext": {"http": "GET"}}, id="http"),
        pytest.param(
            {"requestContext": {"http": {"method": "GET"}, "domainName": 5}}, id="name"
        ),
    ],
)
def test_request_wrong_type(name, changes):
    """A value of the wrong type makes a bad HTTP event, and not one of another kind."""
    with pytest.raises(EventError, match="the event can't be read"):
        request_of(load(name, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"isBase64Encoded": None}, id="base64"),
        pytest.param({"headers": None}, id="headers"),
        pytest.param({"cookies": None}, id="cookies"),
        pytest.param({"body": None}, id="body"),
    ],
)
def test_request_null(changes):
    """A null counts as a missing key."""
    changed, missing = load("http_api", **changes), without(load("http_api"), *changes)

    assert request_of(changed) == request_of(missing)


@pytest.mark.parametrize("name", KINDS)
def test_reply(name):
    """Cookies have a separate list; other duplicates are joined by commas."""
    answer = response(
        b"hello",
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"set-cookie", b"a=1; Path=/"),
        (b"link", b"<1>"),
        (b"Set-Cookie", b"b=2"),
        (b"Link", b"<2>"),
        (b"content-length", b"5"),
        (b"keep-alive", b"timeout=5"),
        status=202,
    )

    reply = reply_of(load(name), answer)

    assert reply == {
        "statusCode": 202,
        "headers": {
            "content-type": "text/plain; charset=utf-8",
            "link": "<1>, <2>",
            "content-length": "5",
        },
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "hello",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("name", KINDS)
def test_reply_empty(name):
    """A reply has every key, even if empty, so that API Gateway does not guess."""
    reply = reply_of(load(name), response(status=204))

    assert reply == {
        "statusCode": 204,
        "headers": {},
        "cookies": [],
        "body": "",
        "isBase64Encoded": False,
    }


def test_reply_binary():
    """A body that is not text becomes base64."""
    answer = response(b"\x1f\x8b", (b"content-encoding", b"gzip"))

    reply = reply_of(load("http_api"), answer)

    assert (reply["body"], reply["isBase64Encoded"]) == ("H4s=", True)


def test_prelude():
    """A prelude is a reply without its body: cookies apart, duplicates joined."""
    answer = response(
        b"hello",
        (b"content-type", b"text/event-stream"),
        (b"set-cookie", b"a=1; Path=/"),
        (b"link", b"<1>"),
        (b"Set-Cookie", b"b=2"),
        (b"Link", b"<2>"),
        (b"transfer-encoding", b"chunked"),
        (b"trailer", b"x-sum"),
        (b"keep-alive", b"timeout=5"),
        (b"connection", b"x-hop"),
        (b"x-hop", b"1"),
        status=202,
    )

    prelude = prelude_of(load("function_url"), answer)

    assert prelude == (
        b'{"statusCode":202,'
        b'"headers":{"content-type":"text/event-stream","link":"<1>, <2>"},'
        b'"cookies":["a=1; Path=/","b=2"]}'
    )


def test_prelude_empty():
    """A prelude has every key, even if empty."""
    prelude = prelude_of(load("function_url"), response(status=204))

    assert prelude == b'{"statusCode":204,"headers":{},"cookies":[]}'


def test_prelude_has_the_length():
    """A prelude keeps a declared Content-Length."""
    answer = response(b"", (b"Content-Length", b"5"))

    prelude = prelude_of(load("function_url"), answer)

    assert prelude == (
        b'{"statusCode":200,"headers":{"Content-Length":"5"},"cookies":[]}'
    )
