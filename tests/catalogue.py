"""Example events, for all tests: one function for each kind, and the files of data.

The functions' events hold what an event's way through the adapter depends on, and what
a test wants to be in them; those in data/events are whole.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Make = Callable[..., Event]
Fields = dict[str, str]

DATA = Path(__file__).parent / "data"

NAMES = sorted(path.stem for path in (DATA / "events").glob("*.json"))

HTTP = [
    name
    for name in NAMES
    if name.startswith(("alb", "function_url", "http_api", "rest_api", "vpc_lattice"))
]

HOST = "example.com"
FUNCTION_URL_HOST = "abc.lambda-url.eu-west-1.on.aws"


def load(name: str, **changes: Any) -> Event:
    """Return a whole event, some of its top-level values replaced."""
    event = json.loads((DATA / "events" / f"{name}.json").read_bytes())
    assert isinstance(event, dict)
    return event | changes


def _kind(shape: Callable[[str, str, Fields], Event]) -> Make:
    """Let a kind of event have a body, the usual fields, and whatever else is asked."""

    @functools.wraps(shape)
    def make(
        method: str = "GET",
        path: str = "/",
        body: str | None = None,
        headers: Fields | None = None,
        **more: Any,
    ) -> Event:
        return shape(method, path, headers or {"host": HOST}) | {"body": body} | more

    return make


@_kind
def alb(method: str, path: str, fields: Fields) -> Event:
    context = {"elb": {"targetGroupArn": "arn"}}
    event = {"httpMethod": method, "path": path, "headers": fields}
    return {**event, "requestContext": context}


@_kind
def alb_multi_value(method: str, path: str, fields: Fields) -> Event:
    event = alb(method, path)
    del event["headers"]
    return {**event, "multiValueHeaders": {name: [fields[name]] for name in fields}}


@_kind
def rest_api(method: str, path: str, fields: Fields) -> Event:
    context = {"domainName": HOST, "stage": "prod"}
    event = {"httpMethod": method, "path": path, "headers": fields}
    return {"resource": "/{proxy+}", **event, "requestContext": context}


@_kind
def http_api_v1(method: str, path: str, fields: Fields) -> Event:
    return {"version": "1.0", **rest_api(method, path, headers=fields)}


@_kind
def http_api(method: str, path: str, fields: Fields) -> Event:
    context = {"domainName": HOST, "http": {"method": method}}
    event = {"rawPath": path, "rawQueryString": "", "headers": fields}
    return {"version": "2.0", **event, "requestContext": context}


@_kind
def function_url(method: str, path: str, fields: Fields) -> Event:
    event = http_api(method, path, headers=fields)
    event["requestContext"]["domainName"] = FUNCTION_URL_HOST
    return event


@_kind
def vpc_lattice(method: str, path: str, fields: Fields) -> Event:
    several = {name: [fields[name]] for name in fields}
    event = {"method": method, "path": path, "headers": several}
    return {"version": "2.0", **event, "requestContext": {"serviceArn": "arn"}}


@_kind
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

KINDS: dict[str, Make] = {
    make.__name__: make
    for make in (
        alb,
        alb_multi_value,
        rest_api,
        http_api_v1,
        http_api,
        function_url,
        vpc_lattice,
        vpc_lattice_v1,
        direct,
        web_socket,
    )
}
