"""Events that nobody would send, and responses that nobody would give."""

import json
import re
from typing import Any

from hypothesis import strategies as st

from tests.catalogue import load

NEST = "@nest@"
"""Stands for what is nested more deeply than Python's own encoder could write."""

DEPTHS = [10, 500, 200_000]
"""Shallow, deep, and too deep for any Python, however deep it is already."""

WORDS = [
    "",
    "\r\n",
    "a\r\nx-amzn-request-context: forged",
    " HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    "a\0b",
    "a b",
    "//a",
    "/../a",
    "?#",
    "%",
    "%0d%0a",
    "é",
    "\N{COLLISION SYMBOL}",
    "\ud83d",
    "\udca5a",
    "\u2028",
    "x" * 100_000,
    "A" * 9_999,
    "CONNECT",
    "HEAD",
    "get",
    "chunked",
    "host",
    "Transfer-Encoding",
    "Content_Length",
    "x-amzn-lambda-context",
    "x-amzn-requestid",
    NEST,
]
TEXT = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=12), st.sampled_from(WORDS)
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(10**400), 2**63, 2**64, 1e308, 5e-324, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
NAMES = (
    *("requestContext", "httpMethod", "path", "rawPath", "raw_path", "method"),
    *("version", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"),
    *("elb", "http", "serviceArn", "connectionId", "eventType", "domainName"),
    *("rawQueryString", "queryStringParameters"),
)
KEYS = st.one_of(TEXT, st.sampled_from(NAMES))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


def encoded(document: object, draw: st.DrawFn) -> bytes:
    """Return JSON in one of its spellings, whatever is in it."""
    escaped = draw(st.booleans())
    indent = draw(st.sampled_from([None, None, 1]))
    text = json.dumps(document, ensure_ascii=escaped, indent=indent)
    raw = text.encode("utf-8", "surrogatepass")
    if NEST.encode() in raw:
        depth = draw(st.sampled_from(DEPTHS))
        start, end = draw(st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]))
        nested = start * depth + b"1" + end * depth
        raw = raw.replace(json.dumps(NEST).encode(), nested)
    return raw


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return any JSON."""
    return encoded(draw(JSON), draw)


SENT = re.compile("header|cookie|path|query|method|body|domain", re.IGNORECASE)
"""Names of what goes on to the application."""

CHANGES = ["word", "word", "word", "replace", "delete", "wrap", "add", "rename"]

Place = tuple[Any, Any, bool]
"""A container, a key in it, and whether what is there is ``SENT``."""


def places(node: object, is_sent: bool = False) -> list[Place]:
    """Return every place below a node."""
    found: list[Place] = []
    if isinstance(node, dict):
        for key, child in node.items():
            sent = is_sent or bool(SENT.search(key))
            found += [(node, key, sent), *places(child, sent)]
    elif isinstance(node, list):
        for index, child in enumerate(node):
            found += [(node, index, is_sent), *places(child, is_sent)]
    return found


@st.composite
def mutants(draw: st.DrawFn, name: str) -> bytes:
    """Return an example some of whose parts are other ones, or none, or of other types.

    Then, now and again, some of its bytes.
    """
    event = load(name)
    for _ in range(draw(st.integers(0, 4))):
        found = places(event)
        if draw(st.booleans()):
            found = [place for place in found if place[2]]
        if found:
            mutate(draw, *draw(st.sampled_from(found)))
    raw = encoded(event, draw)
    if draw(st.integers(0, 9)) == 0:
        start = draw(st.integers(0, len(raw)))
        end = draw(st.sampled_from([start, start + 1, start + 9, len(raw)]))
        raw = raw[:start] + draw(st.binary(max_size=4)) + raw[end:]
    return raw


def mutate(draw: st.DrawFn, parent: Any, key: Any, _is_sent: bool) -> None:
    """Change what is in one place of an event."""
    old = parent[key]
    change = draw(st.sampled_from(CHANGES))
    match change:
        case "replace":
            parent[key] = draw(JSON)
        case "word":
            word = draw(TEXT)
            whole = draw(st.booleans()) or not isinstance(old, str)
            parent[key] = word if whole else old + word
        case "delete":
            del parent[key]
        case "wrap":
            parent[key] = [old] if draw(st.booleans()) else {"a": old}
        case "add" if isinstance(old, dict):
            old[draw(KEYS)] = draw(JSON)
        case "add" if isinstance(old, list):
            old.append(draw(JSON))
        case "rename" if isinstance(parent, dict):
            parent[draw(KEYS)] = parent.pop(key)


PIECES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 103 Early Hints\r\n",
    b"HTTP/1.1 100\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 304 Not Modified\r\n",
    b"HTTP/1.1 503 No\r\n",
    b"HTTP/1.1 599 \xff\r\n",
    b"HTTP/1.1 000 No\r\n",
    b"content-length: 4\r\n",
    b"content-length: 0\r\n",
    b"Content-Length: 4, 4\r\n",
    b"transfer-encoding: chunked\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"connection: close\r\n",
    b"connection: keep-alive, x\r\n",
    b"upgrade: websocket\r\n",
    b"content-type: text/html; charset=utf-8\r\n",
    b"content-type: image/png\r\n",
    b"content-type: \r\n",
    b"content-encoding: gzip\r\n",
    b"set-cookie: a=b\r\n",
    b"Set-Cookie: \xe9=\xff\r\n",
    b"x: \xf0\x9f\x92\xa5\r\n",
    b"x:\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"4\r\nbody\r\n",
    b"4;a=b\r\nbody\r\n",
    b"0\r\n",
    b"0\r\nx: y\r\n\r\n",
    b"body",
    b"\xf0\x9f\x92",
    b"\0",
]
SOUND = [b"HTTP/1.1 200 OK\r\n", b"content-length: 4\r\n\r\nbody"]
ANSWERS = st.one_of(
    st.binary(max_size=64),
    st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join),
    st.builds(
        lambda between, after: b"".join([SOUND[0], *between, SOUND[1], *after]),
        st.lists(st.sampled_from(PIECES[9:27]), max_size=4),
        st.lists(st.sampled_from(PIECES), max_size=2),
    ),
)
"""What an application might say, and mostly should not."""
