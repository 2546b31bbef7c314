"""``response_head``: status and fields that an application gives as objects."""

import pytest

from lambda_adapter.app.in_process.response import (
    MAX_FIELDS,
    check_fields,
    check_status,
    content_length,
)


@pytest.mark.parametrize("status", [200, 299, 418, 999])
def test_status(status):
    """A final response has any status from 200 on."""
    assert check_status(status) == status


@pytest.mark.parametrize("status", [None, "200", 200.0, True, 0, 101, 199, 1000, -1])
def test_status_that_is_none(status):
    """An interim status is none of a response, and neither is another type."""
    with pytest.raises((TypeError, ValueError)):
        check_status(status)


def test_fields():
    """Fields keep their order and case; white space around a value goes."""
    fields = [(b"X-B", b" 1\t"), (b"x-a", b"\xff"), (b"X-B", b"")]

    assert check_fields(fields) == [(b"X-B", b"1"), (b"x-a", b"\xff"), (b"X-B", b"")]


@pytest.mark.parametrize(
    "field",
    [
        (b"x", b"a\r\nb: c"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x", b"\x7f"),
        (b"x y", b"a"),
        (b"x:", b"a"),
        (b"", b"a"),
        ("x", b"a"),
        (b"x", "a"),
        (b"x", b"a", b"b"),
        (b"x", b"a" * MAX_FIELDS),
        3,
    ],
)
def test_fields_that_are_none(field):
    """A field that could begin another one never gets through, nor one without end."""
    with pytest.raises((TypeError, ValueError)):
        check_fields([field])


def test_content_length():
    """A declared length is one number."""
    assert content_length([(b"Content-Length", b"12")]) == 12
    assert content_length([(b"content-length", b"1"), (b"Content-Length", b"1")]) == 1
    assert content_length([]) is None
    for values in [(b"x",), (b"-1",), (b"1", b"2"), (b"",), (b"9" * 19,)]:
        with pytest.raises(ValueError, match="Content-Length"):
            content_length([(b"content-length", value) for value in values])
