"""One request as the event of each kind of gateway, and what comes back of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent.parent
HOST = "example.lambda-url.eu-west-1.on.aws"
EVERY_BYTE = bytes(range(256))
Json = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What goes in as an event, and must reach the application as this request."""

    event: Json
    method: str
    target: str
    body: bytes = b""
    cookie: str = ""


def http_api() -> Sent:
    """API Gateway HTTP API, payload format 2.0: path decoded, query raw, cookies."""
    text = "Two, please. ☕"
    event = _version_2("POST", "/echo/café crème", "size=1%2F2&sugar=")
    event |= {"cookies": ["table=7", "guest=Ada"], "body": text}
    target = "/echo/caf%C3%A9%20cr%C3%A8me?size=1%2F2&sugar="
    return Sent(event, "POST", target, text.encode(), "table=7; guest=Ada")


def function_url() -> Sent:
    """Lambda function URL, with a body that is no text."""
    event = _version_2("PUT", "/echo", "")
    event |= {"body": _encoded(EVERY_BYTE), "isBase64Encoded": True}
    return Sent(event, "PUT", "/echo", EVERY_BYTE)


def rest_api() -> Sent:
    """API Gateway REST API: query and fields as maps of lists."""
    event = {
        "resource": "/{proxy+}",
        "path": "/echo/rest",
        "httpMethod": "POST",
        "headers": {"Host": HOST, "Content-Type": "text/plain", "Cookie": "a=1"},
        "multiValueHeaders": {
            "Host": [HOST],
            "Content-Type": ["text/plain"],
            "Cookie": ["a=1"],
        },
        "queryStringParameters": {"a": "2"},
        "multiValueQueryStringParameters": {"a": ["1", "2"]},
        "pathParameters": {"proxy": "echo/rest"},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "example",
            "httpMethod": "POST",
            "identity": {"sourceIp": "203.0.113.7"},
            "path": "/prod/echo/rest",
            "protocol": "HTTP/1.1",
            "requestId": "e2e",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": "rest",
        "isBase64Encoded": False,
    }
    return Sent(event, "POST", "/echo/rest?a=1&a=2", b"rest", "a=1")


def alb() -> Sent:
    """Application Load Balancer with multi-value headers."""
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/app/0"
    event = {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": "POST",
        "path": "/echo/alb",
        "multiValueQueryStringParameters": {"q": ["1%2F2"]},
        "multiValueHeaders": {
            "host": [HOST],
            "content-type": ["text/plain"],
            "cookie": ["b=2"],
        },
        "body": "alb",
        "isBase64Encoded": False,
    }
    return Sent(event, "POST", "/echo/alb?q=1%2F2", b"alb", "b=2")


SENT = {
    "HTTP API": http_api,
    "REST API": rest_api,
    "ALB": alb,
    "function URL, binary": function_url,
}


def get(path: str) -> Json:
    """Make the event of a GET."""
    return _version_2("GET", path, "")


def body_of(reply: Json) -> bytes:
    """Return the body that the gateway would send."""
    if reply.get("isBase64Encoded"):
        return base64.b64decode(reply["body"], validate=True)
    return str(reply["body"]).encode()


def fields_of(reply: Json) -> dict[str, str]:
    """Return the fields that have one value, by their names in lower case."""
    return {name.lower(): value for name, value in reply["headers"].items()}


def check_echo(sent: Sent, reply: Json) -> None:
    """Check what the echo route of an application has seen.

    nginx can't make JSON of it, and doesn't see the body.
    """
    assert reply["statusCode"] == 200, reply
    body = body_of(reply)
    if not body.startswith(b"{"):
        expected = f"{sent.method} {sent.target} HTTP/1.1\n"
        assert body.decode() == f"{expected}Host: {HOST}\nCookie: {sent.cookie}\n"
        return
    seen = json.loads(body)
    headers = {name.lower(): value for name, value in seen["headers"]}
    assert (seen["method"], seen["target"]) == (sent.method, sent.target)
    assert (headers["host"], headers.get("cookie", "")) == (HOST, sent.cookie)
    assert base64.b64decode(seen["body"]) == sent.body


def check_cookies(reply: Json) -> None:
    """Check the reply to ``get("/cookies")``: two cookies, and not one of both."""
    assert reply["statusCode"] == 200, reply
    assert body_of(reply) == b"Two cookies for you.\n"
    first, second = reply["cookies"]
    assert first.startswith("first=1")
    assert second.startswith("second=2")
    assert "httponly" in second.lower()


def _version_2(method: str, path: str, query: str) -> Json:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": HOST, "content-type": "application/octet-stream"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "example",
            "domainName": HOST,
            "domainPrefix": "example",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "e2e",
            },
            "requestId": "e2e",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:13:00:00 +0000",
            "timeEpoch": 1_795_352_400_000,
        },
        "isBase64Encoded": False,
    }


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
