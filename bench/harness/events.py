"""The events that are handed out, as files."""

import base64
import json
from pathlib import Path

from bench.harness.builds import PROJECT
from bench.harness.subjects import TRIVIAL, Application, Subject
from lambda_adapter import events
from lambda_adapter.events.fields import Context
from lambda_adapter.http.http1 import encode_request
from lambda_adapter.http.messages import Request

EVENTS = PROJECT / "tests" / "data" / "events"

USUAL = PROJECT / "bench" / "usual.json"
"""A POST through an HTTP API, in one line as Lambda sends it: ten fields, two cookies,
a query, a body of 16 bytes."""

CONTEXT = Context(
    b'{"request_id":"4ae0f1b2-7d1c-4d3e-9a53-2a6a3f1b6c5e","deadline":1790000000000,'
    b'"invoked_function_arn":"arn:aws:lambda:eu-central-1:123456789012:function:bench",'
    b'"xray_trace_id":null,"client_context":null,"identity":null,"tenant_id":null,'
    b'"env_config":{"function_name":"bench","memory":1769,"version":"$LATEST",'
    b'"log_stream":"","log_group":""}}',
    b"Root=1-665f0c1a-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
    b"",
    b"/events",
)
"""What the adapter adds to a request."""

SENTENCE = b'The quick brown fox said "jump" to the lazy dog.\n'


def http_api(
    directory: Path,
    name: str,
    target: str = "/",
    body: bytes | None = None,
    *,
    is_binary: bool = False,
    fields: int = 10,
) -> Path:
    """Write the event of an HTTP API, and return its file.

    It is a POST if it has a body, and a GET otherwise; the host is the first field.
    """
    event = json.loads(USUAL.read_bytes())
    path, _, query = target.partition("?")
    method = "GET" if body is None else "POST"
    usual = {"host": event["headers"]["host"]} | event["headers"]
    del usual["content-length"], event["cookies"], event["body"]
    more = {f"x-field-{number}": f"value {number}" * 3 for number in range(fields)}
    event["rawPath"], event["rawQueryString"] = path, query
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["queryStringParameters"] = {"q": query} if query else {}
    event["headers"] = dict(list((usual | more).items())[:fields])
    if body is not None:
        event["headers"]["content-length"] = str(len(body))
        event["body"] = base64.b64encode(body).decode() if is_binary else body.decode()
        event["isBase64Encoded"] = is_binary
    file = directory / f"{name}.json"
    file.write_text(json.dumps(event))
    return file


def text(size: int) -> bytes:
    """Return that many bytes of text."""
    return (SENTENCE * (size // len(SENTENCE) + 1))[:size]


def binary(size: int) -> bytes:
    """Return that many bytes that are not text."""
    return (bytes(range(255, -1, -1)) * (size // 256 + 1))[:size]


def event_for(subject: Subject, application: Application, directory: Path) -> Path:
    """Return the usual event for an application, as the subject's far end takes it."""
    event = USUAL if application is TRIVIAL else http_api(directory, "hello")
    if subject.command:
        return event
    file = directory / f"{event.stem}.http"
    message = request(event.read_bytes())
    file.write_bytes(encode_request(message).head + message.body)
    return file


def request(payload: bytes) -> Request:
    """Return the request that the adapter makes of an event."""
    return events.classify(payload).decode(payload).request(CONTEXT)
