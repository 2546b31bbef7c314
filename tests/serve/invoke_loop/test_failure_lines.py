"""``invoke_loop``: what the log says of an invocation that failed, in one line.

``TYPE: METHOD PATH: what happened, with figures; what to do``.
"""

import re

import pytest

from lambda_adapter import errors
from lambda_adapter.events.event import MAX_REPLY
from tests.catalogue import SQS, WEB_SOCKET, alb, function_url, http_api, rest_api
from tests.scripted_app import Answer, said
from tests.serve.invoke_loop.function import (
    CHUNKED,
    HANG,
    STREAM_MODE,
    Failing,
    in_seconds,
    open_function,
    running,
)

LINE = re.compile(
    r"(?P<type>Runtime\.[A-Z][A-Za-z]+): "
    r"(?P<subject>[!-~]+ /[!-~]*|an event of [\d,]+ bytes): "
    r"(?P<what>.+); (?P<advice>.+)"
)
SETTINGS = {
    "AWS_LWA_ERROR_STATUS_CODES": "503",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/hook",
}
CLOSED, HALF = Answer(b""), Answer(b"HTTP/1.1 200 OK\r\ncontent-le")
MUCH = said(200, bytes(MAX_REPLY + 1))
NEARLY_AS_MUCH = said(200, bytes(MAX_REPLY - 1_000))
BROKEN = Answer(CHUNKED + b"4\r\nhalf\r\n")
LATE = Answer(CHUNKED + b"4\r\nhalf\r\n", "hold")

SECRET = http_api(path="/a/b", query="token=secret")

FAILURES = [
    ("AppRequestError", "POST /events", SQS, said(404), "404"),
    ("AppRequestError", "POST /events", SQS, said(500), "500"),
    ("AppRequestError", "POST /events", WEB_SOCKET, CLOSED, "closed the connection"),
    ("AppRequestError", "GET /a/b", SECRET, CLOSED, "closed the connection"),
    ("AppRequestError", "GET /a", alb(path="/a"), HALF, "within the head"),
    ("AppStatusError", "GET /a", rest_api(path="/a"), said(503), "503"),
    ("DeadlineError", "GET /a/b", SECRET, HANG, r"after 0\.\d\d s, 0\.\d\d s before"),
    ("DeadlineError", "POST /events", SQS, HANG, r"after 0\.\d\d s, 0\.\d\d s before"),
    ("ResponseTooLargeError", "GET /a/b", SECRET, MUCH, "over 6,291,556 bytes"),
    ("ResponseTooLargeError", "GET /a/b", SECRET, NEARLY_AS_MUCH, "over the limit of"),
    ("ResponseTooLargeError", "GET /", alb(), said(200, bytes(900_000)), "1,048,576"),
    ("ClosedPathError", "GET /hook", http_api(path="/hook"), None, "the hook /hook"),
    (
        "EventError",
        "GET /x",
        http_api(path="/x", headers={"host": "a b"}),
        None,
        "Host",
    ),
    ("EventError", "an event of 3 bytes", b"{,}", None, "can't be read"),
]
STREAMED = [
    ("AppRequestError", "GET /s", BROKEN, "broke off after 4 bytes"),
    (
        "DeadlineError",
        "GET /s",
        LATE,
        r"off after 4 bytes: .+ after 0\.\d\d s, 0\.\d+ s",
    ),
    ("DeadlineError", "GET /s", HANG, r"after 0\.\d\d s, 0\.\d\d s before"),
    ("AppStatusError", "GET /s", said(503), "503"),
]
"""The same of a response that is streamed."""


def assert_line(caplog, error_type: str, subject: str, what: str) -> None:
    """One line has the failure's type, its request, what happened and what to do."""
    (record,) = caplog.records
    line = LINE.fullmatch(record.getMessage())
    assert line, record.getMessage()
    assert line["type"] == f"Runtime.{error_type}"
    assert line["subject"] == subject
    assert re.search(what, line["what"]), line["what"]
    assert "secret" not in record.getMessage()


@pytest.mark.parametrize(("error_type", "subject", "event", "answer", "what"), FAILURES)
async def test_line(runtime, caplog, error_type, subject, event, answer, what):
    """A failure's line is its type, method and path, what happened, and what to do."""
    async with open_function(runtime, SETTINGS) as function:
        answers = [answer] if answer else []
        await function.invoke(
            event, *answers, lambda_runtime_deadline_ms=in_seconds(0.5)
        )

    assert_line(caplog, error_type, subject, what)


@pytest.mark.parametrize(("error_type", "subject", "answer", "what"), STREAMED)
async def test_line_of_a_stream(runtime, caplog, error_type, subject, answer, what):
    """A stream's failure has the same line, and how many bytes were streamed."""
    async with open_function(runtime, SETTINGS | STREAM_MODE) as function:
        await function.invoke(
            function_url(path="/s"), answer, lambda_runtime_deadline_ms=in_seconds(0.5)
        )

    assert_line(caplog, error_type, subject, what)


async def test_line_of_a_fault_of_the_adapter(runtime, caplog):
    """A fault of the adapter has the same line, above its traceback."""
    async with running(runtime, Failing(ZeroDivisionError("oh"))):
        await runtime.invoke(http_api(path="/a"))

    assert_line(caplog, "InternalError", "GET /a", "ZeroDivisionError: oh")
    assert caplog.records[0].exc_info


def test_all_are_walked():
    """Every type of failure behind a server is in the table."""
    types = {case[0] for case in [*FAILURES, *STREAMED]} | {"InternalError"}

    leaves = {each.__name__ for each in errors.InvocationError.__subclasses__()}

    assert types == leaves - {"AppFailedError"}  # that is an application's in process
