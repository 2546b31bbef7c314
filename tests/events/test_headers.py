"""``headers``: what a request has of its event's headers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.errors import EventError
from lambda_adapter.events import headers
from lambda_adapter.events.event import Context, added_fields
from lambda_adapter.events.headers import (
    TRACE_ID,
    multiple,
    request_fields,
    single,
    text,
)
from lambda_adapter.events.http_event import encode_method
from lambda_adapter.http.memo import MAX_KNOWN, MAX_KNOWN_SIZE
from tests.catalogue import HTTP, load
from tests.events.examples import request_of, values_of, with_fields

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NAMES = st.text(TOKEN, min_size=1, max_size=12).map(lambda name: "x-" + name)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", max_codepoint=0xFF))

FULL = Context(b'{"ours":1}', b"Root=ours", b"ours", request_id=b"ours")
"""Lambda gives everything."""

OWN = [
    "x-amzn-request-context",
    "x-amzn-lambda-context",
    "x-amz-tenant-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
]


def fields_of(*pairs, method=b"GET", body=b"", added=(), **rest):
    """Return the headers of a request, but for a Host that is not of interest."""
    headers = request_fields(
        pairs,
        method=method,
        body=body,
        added=list(added),
        traced=TRACE_ID in dict(added),
        **rest,
    )
    return [field for field in headers if field != (b"host", b"localhost")]


@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_order_and_duplicates_are_kept(pairs):
    """End-to-end headers keep their case, order, duplicates and bytes."""
    headers = fields_of(*pairs)

    assert headers == [(name.encode(), value.encode()) for name, value in pairs]


@pytest.mark.parametrize("own", OWN)
@given(data=st.data())
def test_added_fields_can_not_be_forged(own, data):
    """The adapter's own headers are there once; a client's are removed."""
    spelled = data.draw(st.from_regex(own.replace("-", "[-_.!~*+]"), fullmatch=True))
    spelled = data.draw(st.sampled_from([spelled, spelled.upper(), spelled.title()]))
    event = with_fields(
        data.draw(st.sampled_from(HTTP)), [(spelled, "forged"), ("Connection", own)]
    )

    request = request_of(event, FULL)

    found = [
        value
        for field, value in request.fields
        if re.sub(rb"[^a-z]", b"-", field.lower()) == own.encode()
    ]
    assert len(found) == 1
    assert found[0] != b"forged"


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("own", OWN[:4])
@pytest.mark.parametrize("spell", [str, str.upper, str.title])
def test_added_fields_can_not_be_forged_where_lambda_is_silent(name, own, spell):
    """A client's tenant is removed even if Lambda names none."""
    event = with_fields(name, [(spell(own), "forged")])

    request = request_of(event)

    assert b"forged" not in [value for _, value in request.fields]


@pytest.mark.parametrize("name", HTTP)
def test_client_fields_are_never_null_context(name):
    """A client's request never has the context of a non-HTTP event."""
    request = request_of(load(name))

    assert values_of(request.fields, b"x-amzn-request-context") != [b"null"]


def test_trace_of_the_gateway_stays():
    """The gateway's trace is forwarded if Lambda sends none."""
    event = with_fields("http_api", [("X-Amzn-Trace-Id", "Root=gateway")])

    request = request_of(event)

    assert values_of(request.fields, b"x-amzn-trace-id") == [b"Root=gateway"]


def test_added_fields():
    """Added headers are last, and only those that Lambda sends values for."""
    assert added_fields(Context(b"{}"), b"null") == [
        (b"x-amzn-request-context", b"null"),
        (b"x-amzn-lambda-context", b"{}"),
    ]
    assert added_fields(FULL, b"1") == [
        (b"x-amzn-request-context", b"1"),
        (b"x-amzn-lambda-context", b'{"ours":1}'),
        (b"x-amzn-requestid", b"ours"),
        (b"x-amzn-trace-id", b"Root=ours"),
        (b"x-amz-tenant-id", b"ours"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "connection",
        "Keep-Alive",
        "proxy-connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "upgrade",
        "Expect",
        "Content-Length",
        "cOnTeNt-LeNgTh",
        "Content_Length",
        "content.length",
        "Transfer_Encoding",
        "transfer.encoding",
        "TRANSFER+ENCODING",
        "keep_alive",
    ],
)
def test_hop_by_hop_is_dropped(name):
    """Headers for one connection do not reach another, in any spelling.

    Servers that fold names, as CGI does, would wait for a body of that length.
    """
    assert fields_of((name, "1"), ("a", "b")) == [(b"a", b"b")]


@pytest.mark.parametrize("name", ["Proxy-Authorization", "proxy-authenticate"])
def test_proxy_fields_are_end_to_end(name):
    """Credentials for a proxy are forwarded: they are not for one connection.

    See https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1.
    """
    assert fields_of((name, "1")) == [(name.encode(), b"1")]


@pytest.mark.parametrize(
    "options", ["X-Hop", "close, x-hop", "keep-alive,X-HOP ,", "\tx-hop\t"]
)
def test_connection_names_what_is_dropped(options):
    """A header that Connection names is dropped: it was for one connection."""
    headers = fields_of(("x-hop", "1"), ("Connection", options), ("X-Hop", "2"))

    assert headers == []


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "cookie",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-amzn-trace-id",
        "x-amzn-oidc-data",
        "x-amz-cf-id",
    ],
)
def test_connection_can_not_drop_what_is_trusted(name):
    """A client's Connection header can't remove headers of its gateway."""
    headers = fields_of((name, "1"), ("connection", f"close, {name}"))

    assert headers == [(name.encode(), b"1")]


def test_connection_can_not_drop_host():
    """A client's Connection header can't remove Host."""
    headers = fields_of(("host", "example.com"), ("connection", "host"))

    assert headers == [(b"host", b"example.com")]


@pytest.mark.parametrize("break_", ["\r", "\n", "\r\n", "\0"])
@pytest.mark.parametrize("value", ["{}a", "a{}b", "a{}", "a{}X-Forged: 1"])
@pytest.mark.parametrize("name", ["x-probe", "host", "cookie", "connection", "expect"])
def test_line_breaks_are_refused(name, value, break_):
    """No value contains a line break, not even one that would have been dropped."""
    with pytest.raises(EventError, match="line break or a NUL"):
        fields_of((name, value.format(break_)))


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\0", "(a)", " a"])
def test_names_that_are_none_are_refused(name):
    """A name that is not a token is an error."""
    with pytest.raises(EventError, match="invalid header name"):
        fields_of((name, "1"))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        pytest.param("text", b"text", id="text"),
        pytest.param(7, b"7", id="integer"),
        pytest.param(-1.5, b"-1.5", id="float"),
        pytest.param(10**30, b"1" + b"0" * 30, id="large"),
        pytest.param(True, b"true", id="true"),
        pytest.param(False, b"false", id="false"),
        pytest.param(None, b"", id="null"),
        pytest.param("Torrejón", b"Torrej\xc3\xb3n", id="latin-1"),
        pytest.param("Srīperumbūdūr", "Srīperumbūdūr".encode(), id="utf-8"),
        pytest.param("a\tb", b"a\tb", id="tab"),
        pytest.param("a\x01\x7f", b"a\x01\x7f", id="control"),
    ],
)
def test_values(value, sent):
    """Text is sent as UTF-8, and other values as JSON spells them."""
    assert fields_of(("a", value)) == [(b"a", sent)]


@pytest.mark.parametrize(
    ("pairs", "cookies", "sent"),
    [
        pytest.param([("cookie", "a=1")], [], b"a=1", id="one"),
        pytest.param([("Cookie", "a=1"), ("cookie", "b=2")], [], b"a=1; b=2", id="two"),
        pytest.param([("cookie", "a=1")], ["b=2", "c=3"], b"b=2; c=3", id="replaced"),
        pytest.param([], ["a=1"], b"a=1", id="apart"),
        pytest.param([("cookie", "")], [], b"", id="empty"),
    ],
)
def test_cookies(pairs, cookies, sent):
    """Cookies become one header, as a browser would send them."""
    assert fields_of(*pairs, cookies=cookies) == [(b"cookie", sent)]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        pytest.param(b"GET", b"", [], id="get"),
        pytest.param(b"HEAD", b"", [], id="head"),
        pytest.param(b"DELETE", b"", [], id="delete"),
        pytest.param(b"OPTIONS", b"", [], id="options"),
        pytest.param(b"POST", b"", [b"0"], id="post-empty"),
        pytest.param(b"PUT", b"", [b"0"], id="put-empty"),
        pytest.param(b"PATCH", b"", [b"0"], id="patch-empty"),
        pytest.param(b"POST", b"abc", [b"3"], id="post"),
        pytest.param(b"GET", b"abc", [b"3"], id="get-with-body"),
    ],
)
def test_content_length(method, body, length):
    """The length is that of the sent body, and is sent where content is expected."""
    headers = fields_of(("Content-Length", "99"), method=method, body=body)

    assert values_of(headers, b"content-length") == length


@pytest.mark.parametrize(
    ("pairs", "host"),
    [
        pytest.param([("host", "example.com")], b"example.com", id="host"),
        pytest.param([("HOST", "example.com:80")], b"example.com:80", id="port"),
        pytest.param([("host", "[2001:db8::1]:80")], b"[2001:db8::1]:80", id="ipv6"),
        pytest.param([("host", "[::1]:08080")], b"[::1]:08080", id="zeros-ipv6"),
        pytest.param([("host", "a.example:080")], b"a.example:080", id="zero"),
        pytest.param([("host", "a.b:00000080")], b"a.b:00000080", id="zeros"),
        pytest.param([("host", "[v1.a]")], b"[v1.a]", id="future-ip"),
        pytest.param([("host", "[vF.a:b]:80")], b"[vF.a:b]:80", id="future-and-port"),
        pytest.param([("host", " example.com ")], b"example.com", id="spaces"),
        pytest.param([("host", "a_b.example")], b"a_b.example", id="underscore"),
        pytest.param([], b"d.example", id="none"),
        pytest.param([("host", "")], b"d.example", id="empty"),
    ],
)
def test_host(pairs, host):
    """A request has one Host, the event's or the default, as its first header."""
    headers = request_fields(
        [("a", "b"), *pairs], method=b"GET", body=b"", host=b"d.example", added=[]
    )

    assert headers == [(b"host", host), (b"a", b"b")]


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "x:abc",
        "a/b",
        "a@b",
        "a?b",
        "a#b",
        "a\tb",
        "[::1",
        "::1",
        "http://example.com",
        "a,b c",
        "a:80:80",
        ":80",
        "a:65536",
        "a:0065536",
        "a:" + "0" * 5000 + "65536",
        "[v1]",
        "[v.a]",
        "[v1.]",
        "[v1.a%1]",
        "[1.v]",
        "é",
        "a\\b",
        '"a"',
    ],
)
def test_odd_host_is_refused(host):
    """An invalid Host is the client's error, and never a crash."""
    with pytest.raises(EventError, match="invalid Host"):
        fields_of(("host", host))


@pytest.mark.parametrize(
    "pairs",
    [
        [("host", "a"), ("Host", "b")],
        [("host", "a"), ("host", "a")],
        [("Host", "a"), ("HOST", "")],
    ],
)
def test_several_hosts_are_refused(pairs):
    """Two Host headers are an error, since the gateway may have used either."""
    with pytest.raises(EventError, match="more than one Host"):
        fields_of(*pairs)


@pytest.mark.parametrize(
    ("pairs", "https", "sent"),
    [
        pytest.param([], True, [b"https"], id="missing"),
        pytest.param([], False, [], id="not-known"),
        pytest.param([("X-Forwarded-Proto", "http")], True, [b"http"], id="given"),
        pytest.param([("Forwarded", "proto=http")], True, [], id="forwarded"),
    ],
)
def test_scheme(pairs, https, sent):
    """Behind a gateway with https, X-Forwarded-Proto is added unless it exists."""
    headers = fields_of(*pairs, https=https)

    assert values_of(headers, b"x-forwarded-proto") == sent


@pytest.mark.parametrize("method", ["GET", "get", "M-SEARCH", "PURGE", "connect"])
def test_method(method):
    """A method is any token, in the case it has."""
    assert encode_method(method) == method.encode()


@pytest.mark.parametrize(
    "method", ["", "G T", "GET\r\n", "GET /", "É", "CONNECT", "\0"]
)
def test_method_refused(method):
    """An invalid method is refused, and so is CONNECT."""
    with pytest.raises(EventError, match="can't be sent"):
        encode_method(method)


def test_pairs():
    """Maps of single values and of lists become pairs, in order."""
    assert list(single({"b": 1, "a": "2"})) == [("b", 1), ("a", "2")]
    assert list(single(None)) == []
    assert list(multiple({"b": [1, "2"], "a": []})) == [("b", 1), ("b", "2")]
    assert list(multiple({"b": None, "a": "x"})) == [("b", None), ("a", "x")]
    assert list(multiple(None)) == []


@pytest.mark.parametrize(
    ("value", "spelled"),
    [("a", "a"), (None, ""), (1, "1"), (1.0, "1.0"), (True, "true"), (False, "false")],
)
def test_text(value, spelled):
    """A value is spelled as JSON spells it."""
    assert text(value) == spelled


def test_values_that_are_remembered():
    """Only short values of a few headers that hold no secret are memoized."""
    long = "a" * (MAX_KNOWN_SIZE + 1)
    for number in range(2 * MAX_KNOWN):
        fields_of(
            ("Accept", f"text/x-{number}"),
            ("User-Agent", long),
            ("Authorization", f"Bearer {number}"),
            ("Cookie", f"a={number}"),
            ("X-Api-Key", str(number)),
            ("Content-Type", number),
        )

    assert len(headers._known_pairs) <= MAX_KNOWN
    assert {name for name, _ in headers._known_pairs} == {"Accept"}


def test_names_that_are_remembered():
    """A bounded number of short names is memoized, and junk is not kept."""
    long = "x-" + "long" * MAX_KNOWN_SIZE
    given = [long, *(f"x-{number}" for number in range(2 * MAX_KNOWN)), "x-last"]

    sent = fields_of(*((name, "value") for name in given))

    assert sent == [(name.encode(), b"value") for name in given]
    assert len(headers.known_names) <= MAX_KNOWN
    assert "x-last" in headers.known_names
    assert long not in headers.known_names
