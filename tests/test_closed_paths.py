"""Routes: which paths an application may take for a closed one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.closed_paths import reached, route_of

AFTER = ("snapstart", "after")


@pytest.mark.parametrize(
    "path",
    [
        "/snapstart/after",
        "/snapstart/after/",
        "//snapstart///after",
        "/./snapstart/./after/.",
        "/a/../snapstart/after",
        "/../../snapstart/b/../after",
        "/SnapStart/AFTER",
        "/snapstart/%61fter",
        "/snapstart%2fafter",
        "/snapstart%2Fafter%2f",
        "/snapstart/%2561fter",
        "/snapstart/%25252561fter",
        "/x/%2e%2e/snapstart/after",
        "/x/%252E./snapstart/after",
        "/snapstart\\after",
        "/snapstart%5cafter",
        "/snapstart;v=1/after;jsessionid=1",
        "/x/..;/snapstart/after",
        "/snapstart/after%3bx",
        "/SNAPSTART/%41FTER",
        # what regular expressions, URL parsers and applications leave out
        "/snapstart/after%0a",
        "/snapstart/after%00",
        "/snapstart/%7fafter",
        "/snap%09start/after",
        "/%20snapstart/after+",
        "/snapstart/after%c2%a0",
        "/snapstart/after%e2%80%a8",
        "/snapstart/after%ef%bb%bf",
        "/snapstart/after%85",
        "/snapstart/%2%0a561fter",
        # letters that are others to who ignores case
        "/%c5%bfnapstart/after",
        # an authority
        "//x/snapstart/after",
        "///x/snapstart/after",
        "/\\x/snapstart/after",
        "/%5cx/snapstart/after",
        "/%2f%2fx:80/snapstart/after",
        "/.//x/snapstart/after",
        "/http://x/snapstart/after",
        # what is one segment to one reader and two to another
        "/snapstart//../after",
        "/snapstart/x%2fy/../after",
        "/snapstart/x%5cy/../after",
        "/snapstart/%252e%252e/../after",
        "/snapstart/..;/../after",
        "/snapstart;a%2fb/after",
        # a query or a fragment, decoded before it is looked for
        "/snapstart/after%3fx",
        "/snapstart/after%23x",
        "/x%3f/../snapstart/after",
        # what is below, and what has an extension
        "/snapstart/after/all",
        "/snapstart/after.json",
        # nobody's, but which segments are left out is not looked at
        "/snapstart/after/..",
    ],
)
def test_path_that_may_reach_the_route(path):
    """A path that any application takes for the closed route reaches it."""
    assert reached(path.encode(), [("other",), AFTER]) == AFTER


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/snapstart",
        "/snapstart/afterwards",
        "/snapstart/after%2dall",
        "/x/snapstart/after",
        "/x/snapstart%2fafter",
        "/snapstart/x/after",
        "/snapstart/%zzafter",
        "/snapstart/%6",
        "/snapstart/%",
        "/snap-start/after",
        "/after/../snapstart",
        "/after;snapstart",
        "//x/after/snapstart",
    ],
)
def test_path_that_reaches_another_route(path):
    """A path that no application takes for the closed route does not reach it."""
    assert reached(path.encode(), [AFTER]) is None


@given(path=st.binary())
def test_any_path(path):
    """Any bytes reach one of the routes, or none, and without any route none."""
    assert reached(path, [("a",), AFTER]) in {None, ("a",), AFTER}
    assert reached(path, []) is None


segments = st.lists(st.text("abcxyz0189-_~", min_size=1), min_size=1, max_size=4).map(
    tuple
)


@given(route=segments, times=st.integers(1, 4))
def test_escapes_change_nothing(route, times):
    """A path whose every byte is escaped, once or often, reaches the same route."""
    path = "/" + "/".join(route)
    escaped = "".join(f"%{ord(char):02x}" for char in path)
    for _ in range(times - 1):
        escaped = escaped.replace("%", "%25")

    assert reached(escaped.encode(), [route]) == route == route_of(path)


@given(route=segments, left_out=segments, mark=st.sampled_from(["..", ";", "//", "?"]))
def test_order_is_what_counts_where_segments_are_left_out(route, left_out, mark):
    """A path reaches the route whatever segments a reading leaves out."""
    pieces = [piece for pair in zip(route, left_out, strict=False) for piece in pair]
    pieces += route[len(left_out) :]
    path = "/".join(["", mark, *pieces])

    assert reached(path.encode(), [route]) == route
