"""Paths and queries."""

import re
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.events import target

TEXT = st.text()
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4)

ONE_LINE = re.compile(rb"/[!-~]*")
"""Visible ASCII alone: no space, no line break, nothing that a server might misread."""


@pytest.mark.parametrize("encode", [target.verbatim_path, target.encoded_path])
@given(path=TEXT, query=TEXT)
def test_target_is_one_line(encode, path, query):
    """Whatever an event holds, its target is one line of visible ASCII."""
    line = target.join(encode(path), target.verbatim_query(query))

    assert ONE_LINE.fullmatch(line)
    assert b"#" not in line
    assert line.partition(b"?")[0] == encode(path)


@given(path=TEXT, pairs=PAIRS)
def test_target_of_parameters_is_one_line(path, pairs):
    """A target made of parameters is one line of visible ASCII."""
    for query in (target.joined_query(pairs), target.encoded_query(pairs)):
        line = target.join(target.verbatim_path(path), query)

        assert ONE_LINE.fullmatch(line)
        assert b"#" not in line


@given(path=VISIBLE)
def test_verbatim_path_is_verbatim(path):
    """Visible ASCII is forwarded unchanged, unless it would end the path."""
    path = "/" + re.sub(r"[?#]", "", path)

    assert target.verbatim_path(path) == path.encode()


@given(query=VISIBLE)
def test_verbatim_query_is_verbatim(query):
    """Visible ASCII is forwarded unchanged, unless it would end the query."""
    query = query.replace("#", "")

    assert target.verbatim_query(query) == query.encode()


@given(path=TEXT)
def test_verbatim_path_means_the_same(path):
    """An escaped path decodes to the original."""
    path = "/" + path.replace("%", "")

    assert unquote_to_bytes(target.verbatim_path(path)) == path.encode()


@given(path=TEXT)
def test_encoded_path_means_the_same(path):
    """An application decodes an encoded path to the one that arrived."""
    path = "/" + re.sub(r"%(?=[0-9A-Fa-f]{2})", "", path)

    if not re.search(r"%[0-9A-Fa-f]{2}", path):
        assert unquote_to_bytes(target.encoded_path(path)) == path.encode()


@given(path=TEXT)
def test_encoded_path_is_a_path(path):
    """An encoded path is valid, and every percent sign in it begins an escape."""
    pchar = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"

    assert re.fullmatch(pchar, target.encoded_path(path))


@given(path=TEXT)
def test_encoded_path_again(path):
    """An encoded path stays unchanged."""
    once = target.encoded_path(path)

    assert target.encoded_path(once.decode()) == once


@given(pairs=PAIRS)
def test_encoded_query_is_read_back(pairs):
    """Names, values, their order and duplicates are what the application reads."""
    query = target.encoded_query(pairs).decode()

    assert parse_qsl(query, keep_blank_values=True, strict_parsing=bool(pairs)) == pairs


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        pytest.param([], b"", id="none"),
        pytest.param([("a", "b"), ("c", "d")], b"a=b&c=d", id="two"),
        pytest.param([("a", "+%2B%26=")], b"a=+%2B%26=", id="verbatim"),
        pytest.param([("", "")], b"=", id="empty"),
    ],
)
def test_joined_query(pairs, query):
    """Parameters that arrive encoded but split are joined unchanged."""
    assert target.joined_query(pairs) == query


@pytest.mark.parametrize(
    ("path", "query", "line"),
    [
        pytest.param(b"/a", b"b=c", b"/a?b=c", id="query"),
        pytest.param(b"/a", b"", b"/a", id="no-query"),
        pytest.param(b"//a", b"?", b"//a??", id="as-it-is"),
    ],
)
def test_join(path, query, line):
    """A path and a query make a target; without a query, it has no question mark."""
    assert target.join(path, query) == line
