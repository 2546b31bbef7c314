"""Events of every kind that ask for one thing, and what their answers say.

Only what an event's way depends on is in them; tests/data/events has whole ones.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.fake_runtime_api import Posted

Make = Callable[[str, str, str], dict[str, object]]

URL = "abc.lambda-url.eu-west-1.on.aws"


def alb(method: str, path: str, body: str) -> dict[str, object]:
    context = {"elb": {"targetGroupArn": "arn"}}
    event = {"httpMethod": method, "path": path, "headers": {"host": "a"}}
    return {**event, "requestContext": context, "body": body}


def alb_multi_value(method: str, path: str, body: str) -> dict[str, object]:
    event = alb(method, path, body)
    del event["headers"]
    return {**event, "multiValueHeaders": {"host": ["a"], "x": ["1", "2"]}}


def rest_api(method: str, path: str, body: str) -> dict[str, object]:
    context = {"domainName": "example.com", "stage": "prod"}
    event = {"httpMethod": method, "path": path, "headers": {"Host": "a"}}
    return {**event, "requestContext": context, "body": body}


def http_api_v1(method: str, path: str, body: str) -> dict[str, object]:
    return {**rest_api(method, path, body), "version": "1.0"}


def http_api(
    method: str, path: str, body: str, domain: str = "example.com"
) -> dict[str, object]:
    context = {"domainName": domain, "http": {"method": method}}
    event = {"version": "2.0", "rawPath": path, "headers": {"host": "a"}}
    return {**event, "requestContext": context, "body": body}


def function_url(method: str, path: str, body: str) -> dict[str, object]:
    return http_api(method, path, body, URL)


def vpc_lattice(method: str, path: str, body: str) -> dict[str, object]:
    event = {"method": method, "path": path, "headers": {"host": ["a"]}}
    return {**event, "requestContext": {"serviceArn": "arn"}, "body": body}


def vpc_lattice_v1(method: str, path: str, body: str) -> dict[str, object]:
    event = {"method": method, "raw_path": path, "headers": {"host": "a"}}
    return {**event, "is_base64_encoded": False, "body": body}


def sqs(_method: str, path: str, body: str) -> dict[str, object]:
    return {"Records": [{"eventSource": "aws:sqs", "body": path, "more": body}]}


def web_socket(_method: str, path: str, body: str) -> dict[str, object]:
    context = {"connectionId": "c", "eventType": "MESSAGE", "routeKey": path}
    return {"requestContext": context, "body": body}


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
        sqs,
        web_socket,
    )
}
STREAMING = {"rest_api", "function_url"}
"""Kinds that stream, where the invoke mode says so."""
PASS_THROUGH = {"sqs", "web_socket"}
"""Kinds whose reply is the application's body, and whose failure is an error."""


@dataclass(frozen=True)
class Told:
    """What an answer says, whatever its form."""

    form: str
    """``reply``, ``stream``, ``body`` or ``error``."""
    status: int
    content: bytes
    error: str
    """The type of the error, if it is or ends in one."""


def told(posted: Posted, kind: str) -> Told:
    """Read an answer to an event of a kind; it must have the form of that kind."""
    if posted.kind == "error":
        assert kind in PASS_THROUGH
        return Told("error", 0, b"", str(posted.json()["errorType"]))
    assert posted.kind == "response"
    if posted.is_stream:
        assert kind in STREAMING
        prelude = posted.prelude()
        status = prelude.pop("statusCode")
        assert isinstance(status, int)
        trailers = {name.lower(): value for name, value in posted.trailers}
        error = trailers.get("lambda-runtime-function-error-type", "")
        if error:
            said = base64.b64decode(trailers["lambda-runtime-function-error-body"])
            assert json.loads(said)["errorType"] == error
        content = posted.content()
        return Told("stream", status, content, error or _error_type(content))
    if kind in PASS_THROUGH:
        return Told("body", 200, posted.body, "")
    reply = posted.json()
    status, body = reply["statusCode"], reply["body"]
    assert isinstance(status, int)
    assert isinstance(body, str)
    content = body.encode()
    if reply["isBase64Encoded"]:
        content = binascii.a2b_base64(body, strict_mode=True)
    return Told("reply", status, content, _error_type(content))


def _error_type(content: bytes) -> str:
    """Return the type of the adapter's own error, as its client is told."""
    if not content.startswith(b'{"message":'):
        return ""
    return str(json.loads(content)["errorType"])
