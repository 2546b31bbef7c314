"""Events that are not HTTP."""

import pytest

from lambda_adapter.errors import AppRequestError
from lambda_adapter.events.context import Context
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Request, Response
from tests.catalogue import load
from tests.events.examples import CONTEXT, encode, request_of, response

NAMES = [
    "cognito",
    "dynamodb",
    "eventbridge",
    "kinesis",
    "s3",
    "schedule",
    "sns",
    "sqs",
]

PAYLOADS = [
    *(pytest.param(encode(load(name)), id=name) for name in NAMES),
    pytest.param(b"", id="empty"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="list"),
    pytest.param(b'""', id="string"),
    pytest.param(b"42", id="number"),
    pytest.param(b"true", id="boolean"),
    pytest.param(b'  {"a" : "caf\xc3\xa9"}\n', id="white-space"),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_request(payload):
    """An event is POSTed byte for byte, and marked as what no client could send."""
    request = request_of(payload)

    assert request == Request(
        b"POST",
        b"/events",
        [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(payload)),
            (b"x-amzn-request-context", b"null"),
            (b"x-amzn-lambda-context", CONTEXT.lambda_context),
        ],
        payload,
    )


def test_request_context():
    """What Lambda says of an invocation goes with it, to the path that was set."""
    context = Context(b"{}", b"Root=1-2-3", b"blue", b"/queue")

    request = request_of(load("sqs"), context)

    assert request.target == b"/queue"
    assert request.fields[-4:] == [
        (b"x-amzn-request-context", b"null"),
        (b"x-amzn-lambda-context", b"{}"),
        (b"x-amzn-trace-id", b"Root=1-2-3"),
        (b"x-amz-tenant-id", b"blue"),
    ]


def test_is_not_http():
    """An event that is not HTTP has no client that waits for an HTTP response."""
    assert not issubclass(PassThroughEvent, HttpEvent)


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        pytest.param(b'{"batchItemFailures":[]}', b'{"batchItemFailures":[]}', id="js"),
        pytest.param(b"<p>done</p>", b"<p>done</p>", id="html"),
        pytest.param(b"\x00\xff", b"\x00\xff", id="bytes"),
        pytest.param(b"", b"null", id="empty"),
    ],
)
@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_reply(status, body, reply):
    """The reply is the body as it is; where there is none, it is JSON all the same."""
    answer = response(body, (b"content-type", b"text/html"), status=status)

    assert PassThroughEvent.encode_response(answer) == reply


ELSEWHERE = "; if it takes events elsewhere, set AWS_LWA_PASS_THROUGH_PATH"


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        pytest.param(400, b"Bad Request", "400 Bad Request", id="400"),
        pytest.param(403, b"Forbidden", "403 Forbidden", id="403"),
        pytest.param(404, b"Not Found", f"404 Not Found{ELSEWHERE}", id="404"),
        pytest.param(404, b"", f"404{ELSEWHERE}", id="no-reason"),
        pytest.param(405, b"No", f"405 No{ELSEWHERE}", id="405"),
        pytest.param(500, b"Oh no", "500 Oh no", id="500"),
        pytest.param(599, b"\xe9", "599 é", id="latin-1"),
    ],
)
def test_refusal(status, reason, said):
    """A refused event fails, and the message says where it was POSTed to."""
    request = request_of(load("sqs"), Context(b"{}", pass_through_path=b"/q?key=1"))
    answer = Response(status, reason, [], b"{}")

    with pytest.raises(AppRequestError) as caught:
        PassThroughEvent.check_response(request, answer)

    assert str(caught.value) == f"the application responded to POST /q with {said}"


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_no_refusal(status):
    """An event with a status below 400 has not failed."""
    request = request_of(load("sqs"))

    PassThroughEvent.check_response(request, response(b"", status=status))
