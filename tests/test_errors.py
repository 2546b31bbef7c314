"""The tree of errors: what each means to whoever catches it."""

import re

import pytest

from lambda_adapter import errors
from lambda_adapter.errors import (
    AdapterError,
    AfterRestoreError,
    AppExitedError,
    AppFailedError,
    AppImportError,
    AppNotReadyError,
    AppRequestError,
    AppStartError,
    AppStatusError,
    AppStuckError,
    BeforeCheckpointError,
    ClosedPathError,
    ConfigError,
    DeadlineError,
    EventError,
    FatalError,
    InitError,
    InternalError,
    InvocationError,
    PeerError,
    ResponseTooLargeError,
    RuntimeApiError,
)
from lambda_adapter.http import parser
from lambda_adapter.quoting import quote
from lambda_adapter.runtime import api

KINDS = {
    name: kind
    for module in (errors, parser, api, errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, AdapterError)
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_error_type(kind):
    """Error types have the form that Lambda accepts."""
    error = kind.__new__(kind)

    assert re.fullmatch(r"Runtime\.[A-Z][a-zA-Z]+", error.error_type)
    assert error.error_type == f"Runtime.{kind.__name__}"


@pytest.mark.parametrize(
    ("parent", "children"),
    [
        (
            InitError,
            {
                AppStartError,
                AppImportError,
                AppNotReadyError,
                BeforeCheckpointError,
            },
        ),
        (AfterRestoreError, set()),
        (
            InvocationError,
            {
                EventError,
                ClosedPathError,
                AppRequestError,
                AppFailedError,
                ResponseTooLargeError,
                AppStatusError,
                DeadlineError,
                InternalError,
            },
        ),
        (FatalError, {AppExitedError, AppStuckError, RuntimeApiError}),
        (ConfigError, set()),
    ],
)
def test_tree(parent, children):
    """What is caught together is handled together, and the docstring draws it."""
    assert set(parent.__subclasses__()) == children
    assert parent.__base__ is AdapterError
    assert {parent.__name__, *(child.__name__ for child in children)} <= set(
        re.findall(r"\w+Error", errors.__doc__ or "")
    )


def test_tree_is_drawn_as_it_is():
    """Every status in the drawing is the one that clients get."""
    drawn = re.findall(r"(\w+Error) .*HTTP (\d+)", errors.__doc__ or "")

    assert dict(drawn) == {
        kind.__name__: str(kind.status)
        for kind in InvocationError.__subclasses__()
        if kind.is_for_client
    }


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (EventError("x"), 400, b"Bad Request"),
        (ClosedPathError("x"), 403, b"Forbidden"),
        (AppRequestError("x"), 502, b"Bad Gateway"),
        (ResponseTooLargeError("x"), 502, b"Bad Gateway"),
        (DeadlineError("x"), 504, b"Gateway Timeout"),
        (InternalError("x"), 500, b"Internal Server Error"),
        (InvocationError("x"), 500, b"Internal Server Error"),
    ],
)
def test_invocation_error(error, status, reason):
    """A failed invocation of a client is an HTTP response."""
    assert (error.status, error.reason) == (status, reason)


def test_status_error_reports_what_it_does_not_log():
    """An error status reports the body to Lambda, and not to the log or a client."""
    error = AppStatusError(503, '{"statusCode":503,"body":"secret"}')

    assert error.report == '{"statusCode":503,"body":"secret"}'
    assert "503" in str(error)
    assert "secret" not in str(error) + error.public
    assert not error.is_for_client


def test_event_error_is_public():
    """A client gets the reason why its request was refused."""
    assert EventError("the body is not base64").public == "the body is not base64"


@pytest.mark.parametrize(
    "kind", [AppRequestError, ResponseTooLargeError, DeadlineError, InternalError]
)
def test_other_errors_are_not_public(kind):
    """An internal error's reason is for the log alone."""
    error = kind("connection to 127.0.0.1:8080 refused")

    assert "127.0.0.1" in str(error)
    assert "127.0.0.1" not in error.public
    assert error.public.endswith(".")


def test_config_error():
    """A setting that can't be used is named, with its value and what was expected."""
    error = ConfigError("PORT", "http", "a port from 1 to 65535")

    assert error.variable == "PORT"
    assert str(error) == "PORT='http' is not usable: expected a port from 1 to 65535"


@pytest.mark.parametrize("answered", [True, False])
def test_peer_error(answered):
    """A broken connection's error says whether a response had begun."""
    error = PeerError("it broke", answered=answered)

    assert (str(error), error.answered) == ("it broke", answered)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "''"),
        ("x y", "'x y'"),
        ("a\r\nb", r"'a\r\nb'"),
        ("x" * 100, f"'{'x' * 100}'"),
        ("a" * 100 + "b" * 1_000, f"'{'a' * 50}[1,000 characters left out]{'b' * 50}'"),
    ],
    ids=["empty", "short", "escaped", "at the limit", "over the limit"],
)
def test_quoted(text, expected):
    """A client's text is quoted on one line, its two ends alone if it is long."""
    assert quote(text) == expected
