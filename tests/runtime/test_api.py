"""The words of Lambda's Runtime API and Extensions API."""

import base64
import json
import re
from typing import Any

import msgspec
import pytest

from lambda_adapter import __version__
from lambda_adapter.errors import (
    AdapterError,
    AfterRestoreError,
    AppNotReadyError,
    AppRequestError,
    DeadlineError,
    EventError,
    InternalError,
)
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.quoting import MAX_ERROR
from lambda_adapter.runtime.api import (
    DELIMITER,
    Invocation,
    UnusableResponseError,
    error_request,
    event_next_request,
    init_error_request,
    next_request,
    parse_next,
    register_request,
    response_request,
    restore_error_request,
    restore_next_request,
    stream_request,
)
from lambda_adapter.runtime.streamed_reply import error_trailers

HOST = b"127.0.0.1:9001"
AGENT = (b"user-agent", f"lambda-adapter/{__version__}".encode())
ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:shop"

NEXT = [
    (b"Lambda-Runtime-Aws-Request-Id", ID.encode()),
    (b"Lambda-Runtime-Deadline-Ms", b"1717505400123"),
    (
        b"Lambda-Runtime-Invoked-Function-Arn",
        ARN.encode(),
    ),
    (b"Lambda-Runtime-Trace-Id", b"Root=1-665f0c1a-0123;Sampled=1"),
    (b"Lambda-Runtime-Client-Context", b'{"custom":{"a":1}}'),
    (b"Lambda-Runtime-Cognito-Identity", b'{"cognitoIdentityId":"b"}'),
    (b"Lambda-Runtime-Aws-Tenant-Id", b"blue"),
    (b"Lambda-Runtime-Invocation-Id", b"nonce/+=1"),
    (b"Content-Type", b"application/x-www-form-urlencoded"),
]

INVOCATION = Invocation(
    ID,
    b'{"a":1}',
    1717505400123,
    ARN,
    "Root=1-665f0c1a-0123;Sampled=1",
    '{"custom":{"a":1}}',
    '{"cognitoIdentityId":"b"}',
    "blue",
    "nonce/+=1",
)


@pytest.mark.parametrize("spell", [bytes, bytes.lower, bytes.upper])
def test_parse_next(spell):
    """Every header of Lambda about an invocation is read, in any case."""
    fields = [(spell(name), value) for name, value in NEXT]

    assert parse_next(Response(200, b"OK", fields, b'{"a":1}')) == INVOCATION


def test_parse_next_at_least():
    """An invocation needs no header but its request ID."""
    invocation = parse_next(Response(200, b"OK", NEXT[:1], b""))

    assert invocation == Invocation(ID, b"", 0, "", "", "", "", "", "")


def test_parse_next_empty_fields():
    """Headers without a value, which some emulators send, are ignored."""
    empty = [NEXT[0], *((name, b"") for name, _ in NEXT[1:])]

    assert parse_next(Response(200, b"OK", empty, b"x")) == Invocation(ID, b"x")


@pytest.mark.parametrize("payload", [b"", b"null", b"\xff\0", b"[" * 5_000])
def test_parse_next_payload(payload):
    """A payload is kept as bytes, whatever it contains."""
    assert parse_next(Response(200, b"OK", NEXT, payload)).payload == payload


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        (b"1717505400123", 1717505400123),
        (b"0", 0),
        (b"", 0),
        (b"soon", 0),
        (b"-1", 0),
        (b"1.5", 0),
        (b"9" * 30, 0),
        ("٣".encode(), 0),
    ],
)
def test_parse_next_deadline(text, deadline):
    """An invalid deadline is ignored."""
    fields = [NEXT[0], (b"lambda-runtime-deadline-ms", text)]

    assert parse_next(Response(200, b"OK", fields, b"")).deadline_ms == deadline


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response(500, b"", NEXT, b"{}"), id="500"),
        pytest.param(Response(403, b"", NEXT, b"{}"), id="403"),
        pytest.param(Response(202, b"", NEXT, b"{}"), id="202"),
        pytest.param(Response(200, b"OK", NEXT[1:], b"{}"), id="no-id"),
        *(
            pytest.param(
                Response(200, b"OK", [(b"lambda-runtime-aws-request-id", text)], b"{}"),
                id=name,
            )
            for name, text in {
                "empty-id": b"",
                "slash": b"../init/error",
                "space": b"a b",
                "line-break": b"a\n",
                "query": b"a?b",
                "not-ascii": b"\xe9",
            }.items()
        ),
    ],
)
def test_parse_next_unusable(response):
    """A response without a valid request ID is not an invocation."""
    with pytest.raises(UnusableResponseError, match="/next"):
        parse_next(response)


def encoded(*parts: Any) -> EncodedRequest:
    return encode_request(Request(*parts))


def test_next_request():
    """The request for the next invocation has a user agent."""
    assert next_request(HOST) == encoded(
        b"GET", b"/2018-06-01/runtime/invocation/next", [(b"host", HOST), AGENT]
    )


@pytest.mark.parametrize("nonce", ["", "nonce/+=1"])
def test_response_request(nonce):
    """A reply goes to its invocation, with its nonce, and in no response mode."""
    invocation = msgspec.structs.replace(INVOCATION, invocation_id=nonce)
    request = response_request(HOST, invocation, b'{"b":2}')

    echo = [(b"lambda-runtime-invocation-id", nonce.encode())] if nonce else []
    assert request == encoded(
        b"POST",
        f"/2018-06-01/runtime/invocation/{ID}/response".encode(),
        [
            (b"host", HOST),
            AGENT,
            (b"content-length", b"7"),
            (b"content-type", b"application/json"),
            *echo,
        ],
        b'{"b":2}',
    )


def test_requests_without_nonce():
    """A nonce that Lambda did not give is not sent back, not even empty."""
    invocation = Invocation(ID, b"")

    for request in (
        response_request(HOST, invocation, b""),
        error_request(HOST, invocation, EventError("x")),
    ):
        assert b"lambda-runtime-invocation-id" not in request.head
        assert b"\r\ncontent-length: %d\r\n" % len(request.body) in request.head
    streamed = stream_request(HOST, invocation)
    assert b"lambda-runtime-invocation-id" not in streamed.head


def test_stream_request():
    """A streamed reply announces its mode, its type and its trailers."""
    assert stream_request(HOST, INVOCATION) == encoded(
        b"POST",
        f"/2018-06-01/runtime/invocation/{ID}/response".encode(),
        [
            (b"host", HOST),
            AGENT,
            (b"transfer-encoding", b"chunked"),
            (b"lambda-runtime-function-response-mode", b"streaming"),
            (b"content-type", b"application/vnd.awslambda.http-integration-response"),
            (b"trailer", b"Lambda-Runtime-Function-Error-Type"),
            (b"trailer", b"Lambda-Runtime-Function-Error-Body"),
            (b"lambda-runtime-invocation-id", b"nonce/+=1"),
        ],
    )


def test_delimiter():
    """A prelude ends in eight bytes that JSON can't have."""
    assert DELIMITER == b"\0\0\0\0\0\0\0\0"


@pytest.mark.parametrize("kind", [AppRequestError, DeadlineError, InternalError])
@pytest.mark.parametrize(
    "message",
    ["it ended", "café\r\nX: 1\0", "\u2028\U0001f600" * 100, "x" * (MAX_ERROR + 1)],
    ids=["ASCII", "line break", "long", "too long"],
)
def test_error_trailers(kind, message):
    """Two trailers report why a stream broke off, with any message."""
    (type_name, error_type), (body_name, body) = error_trailers(kind(message))

    assert type_name == b"Lambda-Runtime-Function-Error-Type"
    assert re.fullmatch(rb"(Runtime|Function)\.[A-Z][a-zA-Z]+", error_type)
    assert body_name == b"Lambda-Runtime-Function-Error-Body"
    assert re.fullmatch(rb"[A-Za-z0-9+/]+=*", body)
    assert json.loads(base64.b64decode(body)) == {
        "errorMessage": message[:MAX_ERROR],
        "errorType": error_type.decode(),
        "stackTrace": [],
    }


def test_error_request():
    """A failure names its type twice, in a form that Lambda keeps."""
    request = error_request(HOST, INVOCATION, AppRequestError("no answer: café"))

    body = (
        '{"errorMessage":"no answer: café","errorType":"Runtime.AppRequestError",'
        '"stackTrace":[]}'
    ).encode()
    assert request == encoded(
        b"POST",
        f"/2018-06-01/runtime/invocation/{ID}/error".encode(),
        [
            (b"host", HOST),
            AGENT,
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            (b"lambda-runtime-function-error-type", b"Runtime.AppRequestError"),
            (b"lambda-runtime-invocation-id", b"nonce/+=1"),
        ],
        body,
    )


def test_init_error_request():
    """A failed init is reported without an invocation."""
    request = init_error_request(HOST, AppNotReadyError("it ended"))

    assert request.head.startswith(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\n")
    error_type = b"\r\nlambda-runtime-function-error-type: Runtime.AppNotReadyError\r\n"
    assert error_type in request.head
    assert json.loads(request.body) == {
        "errorMessage": "it ended",
        "errorType": "Runtime.AppNotReadyError",
        "stackTrace": [],
    }


def test_restore_requests():
    """SnapStart has two requests: for the restore, and for its failure."""
    asked = restore_next_request(HOST)
    told = restore_error_request(HOST, AfterRestoreError("it refused"))

    assert asked == encoded(
        b"GET", b"/2018-06-01/runtime/restore/next", [(b"host", HOST), AGENT]
    )
    assert told.head.startswith(b"POST /2018-06-01/runtime/restore/error HTTP/1.1\r\n")
    assert b": Runtime.AfterRestoreError\r\n" in told.head
    assert json.loads(told.body)["errorMessage"] == "it refused"


def test_long_error_is_cut():
    """An error message that Lambda might refuse is truncated."""
    request = error_request(HOST, INVOCATION, EventError("é" * (MAX_ERROR + 1)))

    assert json.loads(request.body)["errorMessage"] == "é" * MAX_ERROR
    assert len(request.body) < 1_048_576


def test_error_request_is_json():
    """An error report is JSON, whatever its message."""
    request = error_request(HOST, INVOCATION, AdapterError('"\n\0\\\u2028'))

    assert json.loads(request.body)["errorMessage"] == '"\n\0\\\u2028'


def test_register_request():
    """An extension that wants no events is registered by its name."""
    assert register_request(HOST, "lambda-adapter") == encoded(
        b"POST",
        b"/2020-01-01/extension/register",
        [
            (b"host", HOST),
            AGENT,
            (b"content-length", b"13"),
            (b"content-type", b"application/json"),
            (b"lambda-extension-name", b"lambda-adapter"),
        ],
        b'{"events":[]}',
    )


def test_event_next_request():
    """The request for an extension's next event names the extension."""
    assert event_next_request(HOST, b"an-id") == encoded(
        b"GET",
        b"/2020-01-01/extension/event/next",
        [(b"host", HOST), AGENT, (b"lambda-extension-identifier", b"an-id")],
    )
