"""Events of WebSocket APIs."""

import json

import pytest

from lambda_adapter.errors import AppRequestError, EventError
from lambda_adapter.events.context import Context
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.websocket import WebSocketEvent
from lambda_adapter.http.messages import Request
from tests.catalogue import load
from tests.events.examples import CONTEXT, added_to, encode, request_of, response

KINDS = ["websocket_connect", "websocket_message"]


@pytest.mark.parametrize("name", KINDS)
def test_request(name):
    """An event is POSTed as it is, with the context of its connection."""
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


@pytest.mark.parametrize("name", KINDS)
def test_is_not_http(name):
    """A WebSocket event has no HTTP client, so its failure is an invocation error."""
    kind = WebSocketEvent.decode(encode(load(name)))

    assert not isinstance(kind, HttpEvent)


def test_request_path():
    """The path for what is not HTTP can be set."""
    context = Context(CONTEXT.lambda_context, pass_through_path=b"/ws?x=1")

    assert request_of(load("websocket_connect"), context).target == b"/ws?x=1"


def test_request_context_is_ascii():
    """Whatever the context holds, it stands in a field."""
    event = load("websocket_message")
    event["requestContext"]["authorizer"] = {"name": "José\u007f"}

    fields = dict(request_of(event).fields)

    about = fields[b"x-amzn-request-context"]
    assert about.isascii()
    assert json.loads(about) == event["requestContext"]


def test_request_context_not_utf_8():
    """A context that is not UTF-8 can't be told."""
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
