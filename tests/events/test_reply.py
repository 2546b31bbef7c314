"""``reply``: headers and cookies as replies spell them, and their limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.errors import ResponseTooLargeError
from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.http_api import FunctionUrlEvent, HttpApiEvent
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.events.reply import (
    _known,
    _list_values,
    find_wide_fields,
    listed,
    single_valued,
    spelled_cookies,
    split,
    within_limit,
)
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent
from lambda_adapter.http.memo import MAX_KNOWN
from lambda_adapter.http.messages import Response

PROBES = [(b"Vary", b"a"), (b"Link", b"\xe9"), (b"VARY", b"b"), (b"vary", b"a")]


def test_listed():
    """Every value stays, under the first spelling of its name, in order."""
    assert listed(PROBES) == {"Vary": ["a", "b", "a"], "Link": ["é"]}


def test_split_joins():
    """Duplicates are joined by commas, not lost."""
    assert split(PROBES) == ({"Vary": "a, b, a", "Link": "é"}, [])


def test_split_cookies():
    """Cookies are taken out, whatever the case of their name: they can't be joined."""
    fields = [(b"Set-Cookie", b"a=1, 2"), (b"a", b"b"), (b"set-cookie", b"c=\xe9")]

    assert split(fields) == ({"a": "b"}, ["a=1, 2", "c=é"])


@pytest.mark.parametrize("into", [listed, split, single_valued])
def test_fields_of_the_connection(into):
    """Headers of one connection do not reach the client, in any map."""
    fields = [
        (b"Connection", b"keep-alive, X-Hop"),
        (b"x-hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Transfer-Encoding", b"chunked"),
    ]

    assert into([*fields, (b"a", b"b")]) == into([(b"a", b"b")])
    assert into([*fields[2:], (b"a", b"b")]) == into([(b"a", b"b")])


NAMES = st.sampled_from(
    [b"a", b"A", b"b-c", b"Set-Cookie", b"set-cookie", b"Connection", b"keep-alive"]
)
VALUES = st.sampled_from([b"", b"b-c", b"close", b"Keep-Alive", b"x, a", b"\xe9", b"1"])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_one_pass_is_as_good_as_a_close_look(fields):
    """``split`` and ``listed`` return the same values."""
    every = _list_values(fields)

    assert listed(fields) == every
    values, cookies = split(fields)
    is_cookie = {name: name.lower() == "set-cookie" for name in every}
    assert cookies == [c for name in every if is_cookie[name] for c in every[name]]
    assert values == {n: ", ".join(v) for n, v in every.items() if not is_cookie[n]}


def test_names_that_are_remembered_are_bounded():
    """The memory for header names is bounded."""
    for number in range(3 * MAX_KNOWN):
        split([(b"x-%d" % number, b"")])

    assert len(_known) <= MAX_KNOWN


def test_spelled_cookies():
    """The first cookie's name is in lower case; no two names are the same."""
    names = spelled_cookies([str(number) for number in range(600)])

    assert next(iter(names)) == "set-cookie"
    assert len(names) == 512
    assert {name.lower() for name in names} == {"set-cookie"}


LAMBDA = 6_291_556
REPLIES = {
    AlbEvent: 1_048_576,
    AlbMultiValueEvent: 1_048_576,
    FunctionUrlEvent: LAMBDA,
    HttpApiEvent: LAMBDA,
    HttpApiV1Event: LAMBDA,
    PassThroughEvent: LAMBDA,
    RestApiEvent: LAMBDA,
    VpcLatticeEvent: LAMBDA,
}
FIELDS = {
    AlbEvent: 32_768,
    AlbMultiValueEvent: 32_768,
    HttpApiEvent: 10_240,
    HttpApiV1Event: 10_240,
    RestApiEvent: 10_240,
}


@pytest.mark.parametrize(("kind", "most"), REPLIES.items())
def test_largest_reply(kind, most):
    """A reply may be as large as its source takes; one byte more is an error."""
    assert within_limit(kind, bytes(most)) == bytes(most)

    with pytest.raises(ResponseTooLargeError, match=f"{most + 1:,} bytes") as caught:
        within_limit(kind, bytes(most + 1))
    assert f"{most:,}" in str(caught.value)


def wide(size: int) -> Response:
    half = size // 2 - 1
    fields = [(b"a", b"x" * half), (b"b", b"x" * half)]
    return Response(200, b"OK", fields)


@pytest.mark.parametrize(("kind", "most"), FIELDS.items())
def test_widest_fields(kind, most):
    """Near the limit, a warning names it; below, there is none."""
    warning = find_wide_fields(kind, wide(int(most * 0.96)), most)

    assert warning is not None
    assert f"over {most:,}, the gateway responds with 5xx" in warning
    assert find_wide_fields(kind, wide(int(most * 0.94)), 10 * most) is None


def test_fields_at_the_threshold():
    """The warning begins at exactly 95 % of the limit."""
    nearly = int(RestApiEvent.max_fields * 0.95)
    assert nearly * 100 == RestApiEvent.max_fields * 95

    assert find_wide_fields(RestApiEvent, wide(nearly), 100_000)
    assert not find_wide_fields(RestApiEvent, wide(nearly - 2), 100_000)


@pytest.mark.parametrize("kind", [kind for kind in REPLIES if kind not in FIELDS])
def test_fields_without_a_limit(kind):
    """Without a known limit, there is no warning."""
    assert find_wide_fields(kind, wide(1_000_000), 1_000_000) is None


def test_small_reply_is_not_counted():
    """Headers are part of the reply, so a small one can't hold too many."""
    assert find_wide_fields(RestApiEvent, wide(20_000), 9_000) is None
