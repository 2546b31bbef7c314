"""``pass_through``: events that are not HTTP, WebSockets' among them."""

import json

import pytest

from lambda_adapter.errors import AppRequestError, EventError
from lambda_adapter.events.event import Context
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.pass_through import (
    BatchEvent,
    PassThroughEvent,
    WebSocketEvent,
)
from lambda_adapter.http.messages import Request, Response
from tests.catalogue import load
from tests.events.examples import CONTEXT, added_to, encode, request_of, response

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
    """A non-HTTP event is POSTed to the configured path, with Lambda's context."""
    context = Context(b"{}", b"Root=1-2-3", b"blue", b"/queue", b"127.0.0.1:9000")

    request = request_of(load("sqs"), context)

    assert request.target == b"/queue"
    assert request.fields[0] == (b"host", b"127.0.0.1:9000")
    assert request.fields[-4:] == [
        (b"x-amzn-request-context", b"null"),
        (b"x-amzn-lambda-context", b"{}"),
        (b"x-amzn-trace-id", b"Root=1-2-3"),
        (b"x-amz-tenant-id", b"blue"),
    ]


def test_is_not_http():
    """An event that is not HTTP has no client that waits for an HTTP response."""
    assert not issubclass(PassThroughEvent, HttpEvent)


JSON = [
    pytest.param(b'{"batchItemFailures":[]}', id="object"),
    pytest.param(b' { "a" : 1.0 }\r\n', id="white-space"),
    pytest.param(b"[1,2]", id="list"),
    pytest.param(b'"OK"', id="string"),
    pytest.param(b"null", id="null"),
    pytest.param(b"1e999", id="large-number"),
    pytest.param(b"1" * 5_000, id="long-number"),
    pytest.param('{"é":"\u2028"}'.encode(), id="no-ascii"),
    pytest.param(rb'{"a":"\ud83d"}', id="half-surrogate"),
    pytest.param(rb'["\ud83d\ude00","\\\ud83d"]', id="surrogates"),
    pytest.param(b"[" * 50_000 + b"]" * 50_000, id="deep"),
]

NO_JSON = [
    pytest.param(b"OK", "OK", id="text"),
    pytest.param(b"<p>ok</p>", "<p>ok</p>", id="html"),
    pytest.param(b'say "no"\n\0', 'say "no"\n\0', id="quotes"),
    pytest.param("naïve".encode(), "naïve", id="utf-8"),
    pytest.param(b"gr\xfc\xdfe", "grüße", id="latin-1"),
    pytest.param(b"\x89PNG\r\n", "\x89PNG\r\n", id="bytes"),
    pytest.param(b'"\xff"', '"ÿ"', id="json-in-latin-1"),
    pytest.param(b"{'a': 1}", "{'a': 1}", id="python"),
    pytest.param(b"NaN", "NaN", id="nan"),
    pytest.param(b'{"a":1', '{"a":1', id="truncated"),
    pytest.param(b"{}\n{}", "{}\n{}", id="lines"),
    pytest.param(b" \n", " \n", id="blank"),
    pytest.param(rb'"\ud83"', r'"\ud83"', id="half-an-escape"),
]
KINDS = [PassThroughEvent, WebSocketEvent, BatchEvent]


@pytest.mark.parametrize("body", JSON)
@pytest.mark.parametrize("status", [200, 204, 302, 399])
@pytest.mark.parametrize("kind", KINDS)
def test_json_reply(kind, status, body):
    """JSON is the reply byte for byte, whatever its status and type."""
    answer = response(body, (b"content-type", b"text/html"), status=status)

    reply = kind.encode_response(answer)

    assert reply == body
    assert kind.remark(answer, reply) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf"])
def test_empty_reply(kind, body):
    """A response without content becomes ``null``, and nothing is logged."""
    answer = response(body)

    reply = kind.encode_response(answer)

    assert reply == b"null"
    assert kind.remark(answer, reply) is None


@pytest.mark.parametrize("kind", KINDS)
def test_reply_after_a_mark(kind):
    """A byte order mark before JSON, which no reader has to skip, is left out."""
    answer = response(b'\xef\xbb\xbf{"batchItemFailures":[]}')

    reply = kind.encode_response(answer)

    assert reply == b'{"batchItemFailures":[]}'
    assert kind.remark(answer, reply) is None


@pytest.mark.parametrize(("body", "text"), NO_JSON)
@pytest.mark.parametrize("kind", [PassThroughEvent, WebSocketEvent])
def test_reply_to_a_caller(kind, body, text):
    """A direct caller gets text as a JSON string, and the log says so."""
    answer = response(body, (b"content-type", b"application/json"))

    reply = kind.encode_response(answer)

    assert json.loads(reply) == text
    assert "the reply is that in a JSON string" in (kind.remark(answer, reply) or "")


@pytest.mark.parametrize(("body", "text"), NO_JSON)
def test_reply_to_a_batch(body, text):
    """An event source that reads replies gets ``null`` for what is not JSON."""
    answer = response(body)

    reply = BatchEvent.encode_response(answer)

    assert reply == b"null"
    assert "the reply is null" in (BatchEvent.remark(answer, reply) or "")


ELSEWHERE = "; if it handles events at another path, set AWS_LWA_PASS_THROUGH_PATH"


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
    """A refused event fails, and the message has the path of the POST."""
    request = request_of(load("sqs"), Context(b"{}", pass_through_path=b"/q?key=1"))
    answer = Response(status, reason, [], b"{}")

    with pytest.raises(AppRequestError) as caught:
        PassThroughEvent.check_response(request, answer)

    assert str(caught.value) == f"the application responded to POST /q with {said}"
    assert (caught.value.advice == "") == (ELSEWHERE in said)


@pytest.mark.parametrize("status", [200, 204, 302, 399])
def test_no_refusal(status):
    """An event with a status below 400 has not failed."""
    request = request_of(load("sqs"))

    PassThroughEvent.check_response(request, response(b"", status=status))


KINDS_OF_WEBSOCKET = ["websocket_connect", "websocket_message"]


@pytest.mark.parametrize("name", KINDS_OF_WEBSOCKET)
def test_websocket_request(name):
    """An event is POSTed unchanged, with the context of its connection."""
    event = load(name)
    payload = encode(event)

    request = request_of(payload)

    assert request == Request(
        b"POST",
        b"/events",
        [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(payload)),
            *added_to(event),
        ],
        payload,
    )


@pytest.mark.parametrize("name", KINDS_OF_WEBSOCKET)
def test_websocket_is_not_http(name):
    """A WebSocket event has no HTTP client, so its failure is an invocation error."""
    kind = WebSocketEvent.decode(encode(load(name)))

    assert not isinstance(kind, HttpEvent)


def test_request_path():
    """The path for events that are not HTTP can be set."""
    context = Context(CONTEXT.lambda_context, pass_through_path=b"/ws?x=1")

    assert request_of(load("websocket_connect"), context).target == b"/ws?x=1"


def test_request_context_is_ascii():
    """Whatever the context holds, it is a valid header value."""
    event = load("websocket_message")
    event["requestContext"]["authorizer"] = {"name": "José\u007f"}

    fields = dict(request_of(event).fields)

    about = fields[b"x-amzn-request-context"]
    assert about.isascii()
    assert json.loads(about) == event["requestContext"]


def test_request_context_not_utf_8():
    """A context that is not UTF-8 is an error."""
    payload = encode(load("websocket_message")).replace(b"python", b"pyth\xffn")

    with pytest.raises(EventError, match="UTF-8"):
        request_of(payload)


def test_reply():
    """The reply is the application's body: only it can let a connection in."""
    reply = WebSocketEvent.encode_response(response(b'{"statusCode":200}'))

    assert reply == b'{"statusCode":200}'


def test_reply_refused():
    """A status of 400 or more fails the invocation, which refuses the connection."""
    request = request_of(load("websocket_connect"))

    with pytest.raises(AppRequestError, match="POST /events with 403 OK"):
        WebSocketEvent.check_response(request, response(b"no", status=403))
