"""Example events, for all tests: one function for each kind, and the files of data.

The functions' events hold what an event's way through the adapter depends on, and what
a test wants to be in them; those in data/events are whole. The file of an event begins
with the name of its kind.

``kind_of_event`` is all that the tests need to know of a kind of HTTP event: every test
of all kinds takes them from ``KINDS``, ``CLASSES`` and ``REPLY_KEYS``.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.event import Event as EventKind
from lambda_adapter.events.http_api import FunctionUrlEvent, HttpApiEvent
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent, VpcLatticeV1Event

Event = dict[str, Any]
Make = Callable[..., Event]
Fields = dict[str, str]

DATA = Path(__file__).parent / "data"

NAMES = sorted(path.stem for path in (DATA / "events").glob("*.json"))

HOST = "example.com"
FUNCTION_URL_HOST = "abc.lambda-url.eu-west-1.on.aws"


def load(name: str, **changes: Any) -> Event:
    """Return a whole event, some of its top-level values replaced."""
    event = json.loads((DATA / "events" / f"{name}.json").read_bytes())
    assert isinstance(event, dict)
    return event | changes


KINDS: dict[str, Make] = {}
"""The function of each kind of event, by the kind's name."""

CLASSES: dict[str, type[EventKind]] = {}
"""What the adapter decodes each kind of HTTP event as."""

REPLY_KEYS: dict[str, frozenset[str]] = {}
"""What the reply to each kind of HTTP event has beside its status and its body."""


def kind_of_event(
    decoded: type[EventKind], *reply_keys: str
) -> Callable[[Callable[[str, str, Fields], Event]], Make]:
    """Register a kind of HTTP event: its class, and the keys of its replies.

    The function gets a method, a path and headers. Its event then has a body, too, and
    whatever else a test asks for.
    """

    def register(shape: Callable[[str, str, Fields], Event]) -> Make:
        @functools.wraps(shape)
        def make(
            method: str = "GET",
            path: str = "/",
            body: str | None = None,
            headers: Fields | None = None,
            **more: Any,
        ) -> Event:
            event = shape(method, path, headers or {"host": HOST})
            return event | {"body": body} | more

        KINDS[shape.__name__] = make
        CLASSES[shape.__name__] = decoded
        REPLY_KEYS[shape.__name__] = frozenset(reply_keys)
        return make

    return register


@kind_of_event(AlbEvent, "headers", "statusDescription")
def alb(method: str, path: str, fields: Fields) -> Event:
    context = {"elb": {"targetGroupArn": "arn"}}
    event = {"httpMethod": method, "path": path, "headers": fields}
    return {**event, "requestContext": context}


@kind_of_event(AlbMultiValueEvent, "multiValueHeaders", "statusDescription")
def alb_multi_value(method: str, path: str, fields: Fields) -> Event:
    event = alb(method, path)
    del event["headers"]
    return {**event, "multiValueHeaders": {name: [fields[name]] for name in fields}}


@kind_of_event(RestApiEvent, "multiValueHeaders")
def rest_api(method: str, path: str, fields: Fields) -> Event:
    context = {"domainName": HOST, "stage": "prod"}
    event = {"httpMethod": method, "path": path, "headers": fields}
    return {"resource": "/{proxy+}", **event, "requestContext": context}


@kind_of_event(HttpApiV1Event, "multiValueHeaders")
def http_api_v1(method: str, path: str, fields: Fields) -> Event:
    return {"version": "1.0", **rest_api(method, path, headers=fields)}


@kind_of_event(HttpApiEvent, "headers", "cookies")
def http_api(method: str, path: str, fields: Fields) -> Event:
    context = {"domainName": HOST, "http": {"method": method}}
    event = {"rawPath": path, "rawQueryString": "", "headers": fields}
    return {"version": "2.0", **event, "requestContext": context}


@kind_of_event(FunctionUrlEvent, "headers", "cookies")
def function_url(method: str, path: str, fields: Fields) -> Event:
    event = http_api(method, path, headers=fields)
    event["requestContext"]["domainName"] = FUNCTION_URL_HOST
    return event


@kind_of_event(VpcLatticeEvent, "headers")
def vpc_lattice(method: str, path: str, fields: Fields) -> Event:
    several = {name: [fields[name]] for name in fields}
    event = {"method": method, "path": path, "headers": several}
    return {"version": "2.0", **event, "requestContext": {"serviceArn": "arn"}}


@kind_of_event(VpcLatticeV1Event, "headers")
def vpc_lattice_v1(method: str, path: str, fields: Fields) -> Event:
    event = {"method": method, "raw_path": path, "headers": fields}
    return {**event, "is_base64_encoded": False}


def web_socket(_method: str = "", path: str = "$default", body: str = "hello") -> Event:
    """Return a message of a WebSocket API; its route is the path."""
    context = {"connectionId": "c", "eventType": "MESSAGE", "routeKey": path}
    return {"requestContext": context, "body": body}


def sqs(_method: str = "", path: str = "", body: str = "message") -> Event:
    """Return an event of a queue, whose message's group is the path."""
    attributes = {"MessageGroupId": path}
    record = {"eventSource": "aws:sqs", "attributes": attributes, "body": body}
    return {"Records": [record]}


def direct(_method: str = "", path: str = "", body: str = "message") -> Event:
    """Return a direct caller's event, whose reply is a JSON string if it is text."""
    return {"group": path, "message": body}


SQS = sqs()
WEB_SOCKET = web_socket()

KINDS |= {"direct": direct, "web_socket": web_socket}


def class_of(name: str) -> type[EventKind] | None:
    """Return what the adapter decodes a file's event as, None if it is not HTTP."""
    kinds = [kind for kind in CLASSES if f"{name}_".startswith(f"{kind}_")]
    return CLASSES[max(kinds, key=len)] if kinds else None


HTTP = [name for name in NAMES if class_of(name)]
