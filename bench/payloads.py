"""The events that are handed out, as files."""

import base64
import json
from pathlib import Path

from bench.builds import PROJECT
from lambda_adapter import events
from lambda_adapter.events.fields import Context
from lambda_adapter.http.http1 import encode_head

EVENTS = PROJECT / "tests" / "data" / "events"

USUAL = PROJECT / "bench" / "usual.json"
"""A POST through an HTTP API, in one line as Lambda brings it: ten fields, two cookies,
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
    *,
    target: str = "/",
    body: bytes | None = None,
    binary: bool = False,
    fields: int = 10,
) -> Path:
    """Write an HTTP API's event, with this body or none, and return its file."""
    event = json.loads(USUAL.read_bytes())
    path, _, query = target.partition("?")
    method = "GET" if body is None else "POST"
    event["rawPath"], event["rawQueryString"] = path, query
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["queryStringParameters"] = {"q": query} if query else {}
    event["headers"] = _fields(event["headers"], fields)
    del event["cookies"], event["body"]
    if body is not None:
        event["headers"]["content-length"] = str(len(body))
        event["body"] = base64.b64encode(body).decode() if binary else body.decode()
        event["isBase64Encoded"] = binary
    file = directory / f"{name}.json"
    file.write_text(json.dumps(event))
    return file


def _fields(usual: dict[str, str], count: int) -> dict[str, str]:
    """Return that many fields, the host first."""
    usual = {"host": usual["host"]} | usual
    del usual["content-length"]
    more = {f"x-field-{number}": f"value {number}" * 3 for number in range(count)}
    return dict(list((usual | more).items())[:count])


def text(size: int) -> bytes:
    """Return that much text."""
    return (SENTENCE * (size // len(SENTENCE) + 1))[:size]


def binary(size: int) -> bytes:
    """Return that much of what is no text."""
    return (bytes(range(255, -1, -1)) * (size // 256 + 1))[:size]


def request(event: Path) -> bytes:
    """Return what the adapter makes of an event: a whole HTTP request."""
    payload = event.read_bytes()
    message = events.classify(payload).decode(payload).request(CONTEXT)
    return encode_head(message) + message.body


def as_request(event: Path, directory: Path) -> Path:
    """Write the request of an event, for whoever sends it without an adapter."""
    file = directory / f"{event.stem}.http"
    file.write_bytes(request(event))
    return file
