"""``response_head``: status and headers that an application gives as objects."""

import json
import time

import pytest

from lambda_adapter.app.in_process.response import (
    MAX_FIELDS,
    check_fields,
    check_status,
    content_length,
)
from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.emulator import PROJECT


@pytest.mark.parametrize("status", [200, 299, 418, 999])
def test_status(status):
    """A final response has any status from 200 on."""
    assert check_status(status) == status


@pytest.mark.parametrize("status", [None, "200", 200.0, True, 0, 101, 199, 1000, -1])
def test_status_that_is_none(status):
    """An interim status, or one of another type, is refused."""
    with pytest.raises((TypeError, ValueError)):
        check_status(status)


def test_fields():
    """Headers keep their order and case; white space around a value is removed."""
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
    """A header that could begin another one, or is too large, is refused."""
    with pytest.raises((TypeError, ValueError)):
        check_fields([field])


def test_content_length():
    """A declared length must be one number."""
    assert content_length([(b"Content-Length", b"12")]) == 12
    assert content_length([(b"content-length", b"1"), (b"Content-Length", b"1")]) == 1
    assert content_length([]) is None
    for values in [(b"x",), (b"-1",), (b"1", b"2"), (b"",), (b"9" * 19,)]:
        with pytest.raises(ValueError, match="Content-Length"):
            content_length([(b"content-length", value) for value in values])


LINES = [
    ("--asgi", "asgi_app:app", "/raises", "AppFailedError", "ValueError: a secret"),
    ("--wsgi", "wsgi_app:app", "/raises", "AppFailedError", "ValueError: a secret"),
    ("--asgi", "asgi_app:app", "/never", "AppFailedError", "without a whole response"),
    ("--asgi", "asgi_app:app", "/large?9", "ResponseTooLargeError", "over 6,291,556"),
    ("--wsgi", "wsgi_app:app", "/large?9", "ResponseTooLargeError", "over 6,291,556"),
    ("--asgi", "asgi_app:app", "/hangs", "DeadlineError", "s before Lambda's deadline"),
    ("--wsgi", "wsgi_app:app", "/hangs", "DeadlineError", "s before Lambda's deadline"),
    ("--asgi", "asgi_app:app", "/forever", "AppStuckError", "it was cancelled"),
    ("--wsgi", "wsgi_app:app", "/hangs", "AppStuckError", "thread does not come back"),
]


@pytest.mark.parametrize(("option", "name", "target", "kind", "what"), LINES)
async def test_line_of_a_failure(runtime, option, name, target, kind, what):
    """A failure in process has one line: type, method, path, what happened, figures."""
    path, _, query = target.partition("?")
    programs = str(PROJECT / "tests" / "programs")
    async with open_adapter(
        runtime.address, ["--app-dir", programs, option, name]
    ) as adapter:
        await runtime.wait(lambda: runtime.polls == 1)
        deadline = str(int((time.time() + 1.5) * 1000))
        await runtime.invoke(
            http_event(path, query), lambda_runtime_deadline_ms=deadline
        )
        log = await adapter.wait_log(f"Runtime.{kind}: ")

    (line,) = [each for each in log.splitlines() if f"Runtime.{kind}: " in each]
    assert f"ERROR Runtime.{kind}: GET {path}: " in line
    assert what in line


NAMELESS = """
class Nameless(Exception):
    def __str__(self):
        raise KeyError("no text")

class Response:
    def __iter__(self):
        yield b"ok"

    def close(self):
        raise OSError("the file is gone")

def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/nameless":
        raise Nameless
    start_response("200 OK", [])
    return Response()

async def asgi(scope, receive, send):
    raise Nameless
"""


@pytest.mark.parametrize("log_format", ["TEXT", "JSON"])
@pytest.mark.parametrize(
    ("option", "path", "line"),
    [
        ("--asgi", "/nameless", "GET /nameless: Nameless: <its text can't be made: "),
        ("--wsgi", "/nameless", "GET /nameless: Nameless: <its text can't be made: "),
        ("--wsgi", "/", "GET /: OSError: the file is gone, in the close() of its resp"),
    ],
)
async def test_line_of_an_odd_failure(
    runtime, tmp_path, option, path, line, log_format
):
    """An exception without a text, or one in ``close``, has a line as well."""
    (tmp_path / "app.py").write_text(NAMELESS)
    async with open_adapter(
        runtime.address,
        ["--app-dir", str(tmp_path), option, f"app:{option[2:]}"],
        AWS_LAMBDA_LOG_FORMAT=log_format,
    ) as adapter:
        posted = await runtime.invoke(http_event(path))
        log = await adapter.wait_log(f"Runtime.AppFailedError: {line}")

    assert posted.json()["statusCode"] == (200 if path == "/" else 500)
    assert log.count("AppFailedError: GET") == 1


async def test_line_of_a_failure_as_json(runtime):
    """A failure's JSON has the application's exception beside the line."""
    programs = str(PROJECT / "tests" / "programs")
    async with open_adapter(
        runtime.address,
        ["--app-dir", programs, "--asgi", "asgi_app:app"],
        AWS_LAMBDA_LOG_FORMAT="JSON",
    ) as adapter:
        await runtime.invoke(http_event("/raises"))
        log = await adapter.wait_log("stackTrace")

    shown = [json.loads(line) for line in log.splitlines() if "stackTrace" in line]
    assert [each["errorType"] for each in shown] == ["ValueError"]
    assert shown[0]["errorMessage"] == "a secret reason"
    assert shown[0]["stackTrace"][-1] == "ValueError: a secret reason"
    assert shown[0]["message"].startswith("Runtime.AppFailedError: GET /raises: ")
    assert shown[0]["requestId"] == "request-1"
