"""Example events, for all tests: one function for each kind, and the files of data.

The functions' events hold what an event's way through the adapter depends on, and what
a test wants to be in them; those in data/events are whole.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Make = Callable[..., Event]

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


def alb(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of a load balancer."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn"}},
        "httpMethod": method,
        "path": path,
        "headers": headers or {"host": HOST},
        "body": body,
        **more,
    }


def alb_multi_value(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of a load balancer with multi-value headers."""
    event = alb(method, path, body, headers)
    fields = event.pop("headers").items()
    return {
        **event,
        "multiValueHeaders": {name: [value] for name, value in fields},
        **more,
    }


def rest_api(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of a REST API."""
    return {
        "resource": "/{proxy+}",
        "requestContext": {"domainName": HOST, "stage": "prod"},
        "httpMethod": method,
        "path": path,
        "headers": headers or {"Host": HOST},
        "body": body,
        **more,
    }


def http_api_v1(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of an HTTP API, payload format 1.0."""
    return rest_api(method, path, body, headers, version="1.0", **more)


def http_api(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of an HTTP API."""
    return {
        "version": "2.0",
        "requestContext": {"domainName": HOST, "http": {"method": method}},
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers or {"host": HOST},
        "body": body,
        **more,
    }


def function_url(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of a function URL."""
    event = http_api(method, path, body, headers, **more)
    event["requestContext"]["domainName"] = FUNCTION_URL_HOST
    return event


def vpc_lattice(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of VPC Lattice."""
    fields = (headers or {"host": HOST}).items()
    return {
        "version": "2.0",
        "requestContext": {"serviceArn": "arn"},
        "method": method,
        "path": path,
        "headers": {name: [value] for name, value in fields},
        "body": body,
        **more,
    }


def vpc_lattice_v1(
    method: str = "GET",
    path: str = "/",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Event:
    """Return an event of VPC Lattice, version 1."""
    return {
        "method": method,
        "raw_path": path,
        "headers": headers or {"host": HOST},
        "body": body,
        "is_base64_encoded": False,
        **more,
    }


def web_socket(
    _method: str = "", path: str = "$default", body: str | None = "hello"
) -> Event:
    """Return a message of a WebSocket API; its route is the path."""
    context = {"connectionId": "c", "eventType": "MESSAGE", "routeKey": path}
    return {"requestContext": context, "body": body}


def sqs(_method: str = "", path: str = "", body: str | None = "message") -> Event:
    """Return an event of a queue; the path is one of its attributes."""
    record = {"eventSource": "aws:sqs", "body": body}
    return {"Records": [record | {"attributes": {"path": path}} if path else record]}


SQS = sqs()
WEB_SOCKET = web_socket()
