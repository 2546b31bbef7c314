"""``messages``: what an ASGI application sends, checked."""

import pytest

from lambda_adapter.app.in_process.asgi.messages import body_of, file_of, start_of

START = {"type": "http.response.start", "status": 200}


def test_start():
    """A response begins with a status and headers, which may be missing."""
    start = start_of({**START, "headers": [[b"content-length", b"3"]]})

    assert (start.status, start.length) == (200, 3)
    assert start.fields == [(b"content-length", b"3")]
    assert start_of(START).fields == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "http.response.body"},
        {"type": "http.response.trailers"},
        {"type": "http.response.start"},
        {**START, "status": "200"},
        {**START, "headers": None},
        {**START, "headers": [("a", "b")]},
        {**START, "headers": [(b"a", b"b\r\n")]},
        {},
    ],
)
def test_start_that_is_none(message):
    """A malformed message does not begin a response."""
    with pytest.raises((RuntimeError, ValueError, TypeError, KeyError)):
        start_of(message)


@pytest.mark.parametrize("body", [b"ab", bytearray(b"ab"), memoryview(b"ab")])
def test_body(body):
    """A piece is bytes, or an object with a buffer of bytes."""
    assert body_of({"body": body, "more_body": True}) == (b"ab", True)
    assert body_of({}) == (b"", False)


@pytest.mark.parametrize("body", ["ab", None, 3, [b"ab"]])
def test_body_that_is_none(body):
    """A piece of any other type is an error."""
    with pytest.raises(TypeError):
        body_of({"body": body})


def test_file():
    """The path of a file is a string, absolute or relative."""
    assert [file_of({"path": path}) for path in ("/a", "a")] == ["/a", "a"]
    for path in (b"/a", None):
        with pytest.raises(TypeError):
            file_of({"path": path})
