"""``response_body``: bodies that are not there, have a length, or end by closing."""

import pytest

from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.http.response_body import LengthBody, NoBody, UntilEndBody


@pytest.mark.parametrize(
    ("pieces", "expected", "excess"),
    [
        pytest.param([b"body"], [b"body"], False, id="whole"),
        pytest.param([b"b", b"od", b"y"], [b"b", b"od", b"y"], False, id="pieces"),
        pytest.param([b"bodyHTTP"], [b"body"], True, id="excess"),
        pytest.param([b"bo", b"dy!"], [b"bo", b"dy"], True, id="excess-later"),
    ],
)
def test_length(pieces, expected, excess):
    """A body with a length is complete with its last byte, and takes none after it."""
    body = LengthBody(4)

    assert [body.feed(piece) for piece in pieces] == expected
    assert body.complete
    assert body.excess is excess


def test_length_of_nothing():
    """A body of no bytes is complete at once."""
    assert LengthBody(0).complete


def test_length_is_cut_off():
    """A body with a length is not complete when its connection ends before that."""
    body = LengthBody(4)
    body.feed(b"bod")

    assert not body.complete
    with pytest.raises(PeerError, match="within the body") as caught:
        body.feed_end()
    assert caught.value.answered


@pytest.mark.parametrize("data", [b"", b"x"])
def test_no_body(data):
    """Where there is no body, nothing is returned, and any byte is too much."""
    body = NoBody()

    assert body.complete
    assert body.feed(data) == b""
    assert body.excess is bool(data)


def test_until_end():
    """A body without a length ends when its connection does."""
    body = UntilEndBody()

    assert [body.feed(b"one"), body.feed(b"two")] == [b"one", b"two"]
    assert not body.complete
    body.feed_end()
    assert body.complete
