"""HTTP messages as values."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.http.messages import (
    HOP_BY_HOP,
    Request,
    Response,
    ascii_json,
    connection_options,
    end_to_end,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([(b"Connection", b"close")], {b"close"}, id="one"),
        pytest.param(
            [(b"connection", b"Keep-Alive , X-A"), (b"CONNECTION", b"x-b")],
            {b"keep-alive", b"x-a", b"x-b"},
            id="several",
        ),
        pytest.param([(b"proxy-connection", b"x-a")], set(), id="other"),
    ],
)
def test_connection_options(fields, options):
    """Options are returned in lower case, from every Connection header."""
    assert connection_options(fields) - {b""} == options


@pytest.mark.parametrize(
    "name",
    [
        b"Connection",
        b"connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
        b"UPGRADE",
        b"X-Named",
    ],
)
def test_end_to_end_drops(name):
    """Headers for one connection end there."""
    fields = [(b"a", b"1"), (name, b"x"), (b"connection", b"x-named")]

    assert end_to_end(fields) == [(b"a", b"1")]


@pytest.mark.parametrize(
    "name",
    [
        b"Set-Cookie",
        b"Content-Length",
        b"Content-Encoding",
        b"Date",
        b"Server",
        b"Location",
        b"WWW-Authenticate",
    ],
)
def test_end_to_end_keeps(name):
    """All other headers are kept, in order and with duplicates."""
    fields = [(name, b"1"), (b"b", b"2"), (name, b"3"), (name.upper(), b"3")]

    assert end_to_end(fields) == fields


def test_hop_by_hop_names_are_lower_case():
    """The names of hop-by-hop headers are in lower case."""
    assert all(name == name.lower() for name in HOP_BY_HOP)


@given(document=JSON, ascii_already=st.booleans(), indent=st.sampled_from([None, "\t"]))
def test_ascii_json(document, ascii_already, indent):
    """Any JSON becomes printable ASCII and stays the same JSON."""
    text = json.dumps(document, ensure_ascii=ascii_already, indent=indent)

    field = ascii_json(text.encode())

    assert re.fullmatch(rb"[ -~]*", field)
    assert json.loads(field) == document


@pytest.mark.parametrize(
    ("document", "field"),
    [
        pytest.param(b'{"a": 1.50}', b'{"a": 1.50}', id="ascii-stays"),
        pytest.param('"é"'.encode(), b'"\\u00e9"', id="latin-1"),
        pytest.param('"\U0001f600"'.encode(), b'"\\ud83d\\ude00"', id="astral"),
        pytest.param(b'"\x7f"', b'"\\u007f"', id="delete"),
        pytest.param(b"[\r\n\t1,\n 2]", b"[   1,  2]", id="white-space"),
        pytest.param(b'"\\n\\u00e9"', b'"\\n\\u00e9"', id="escapes-stay"),
        pytest.param('"\u2028\x85"'.encode(), b'"\\u2028\\u0085"', id="line-ends"),
        pytest.param(b"", b"", id="empty"),
    ],
)
def test_ascii_json_exactly(document, field):
    """Printable ASCII stays; everything else becomes an escape or a space."""
    assert ascii_json(document) == field


def test_ascii_json_not_utf_8():
    """JSON that is not UTF-8 is an error."""
    with pytest.raises(UnicodeDecodeError):
        ascii_json(b'"\xff"')


@pytest.mark.parametrize(
    "message", [Request(b"GET", b"/", []), Response(200, b"OK", [])], ids=["rq", "rs"]
)
def test_messages_are_frozen(message):
    """A message is a value, and without a body it has an empty one."""
    assert message.body == b""
    with pytest.raises(AttributeError):
        message.body = b"other"
