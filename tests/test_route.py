"""Routes: which spellings of a path are the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.route import canonical


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
    ],
)
def test_one_route(path):
    """Whatever any application takes for the same path has one canonical spelling."""
    assert canonical(path.encode()) == b"/snapstart/after"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/snapstart",
        "/snapstart/afterwards",
        "/snapstart/after/all",
        "/snapstart/after/..",
        "/x/snapstart/after",
        "/snapstart/%zzafter",
        "/snapstart/%6",
        "/snapstart/%",
        "/snapstart/after%00",
        "/snap%20start/after",
    ],
)
def test_another_route(path):
    """What is another path for every application stays another one."""
    assert canonical(path.encode()) != b"/snapstart/after"


@given(path=st.binary().filter(lambda path: b"%25" not in path))
def test_canonical_is_canonical(path):
    """Any bytes have a canonical spelling, and that is its own."""
    once = canonical(path)

    assert once.startswith(b"/")
    assert canonical(once) == once


@given(
    segments=st.lists(
        st.text("abcxyz0189-_~", min_size=1).map(str.encode), min_size=1, max_size=4
    ),
    times=st.integers(1, 4),
)
def test_escapes_change_nothing(segments, times):
    """A path whose every byte is escaped, once or often, is the same route."""
    path = b"/" + b"/".join(segments)
    escaped = b"".join(b"%%%02x" % byte for byte in path)
    for _ in range(times - 1):
        escaped = escaped.replace(b"%", b"%25")

    assert canonical(escaped) == canonical(path) == path
