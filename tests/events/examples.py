"""The way of an example event through the core."""

import json
from typing import Any

import msgspec

from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context, Event
from lambda_adapter.http.messages import Fields, Request, Response
from tests.catalogue import load

CONTEXT = Context(b'{"request_id":"a"}')
"""What the adapter adds, where Lambda gives neither a trace nor a tenant."""


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return an event without some of its keys."""
    return {name: value for name, value in event.items() if name not in names}


def encode(event: Any) -> bytes:
    """Return an event as Lambda delivers it: compact JSON in UTF-8."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def read(payload: bytes) -> Event:
    """Decode a payload as what it is."""
    return classify(payload).decode(payload)


def request_of(event: Any, context: Context = CONTEXT) -> Request:
    """Return the request that an event becomes."""
    return read(event if isinstance(event, bytes) else encode(event)).request(context)


def values_of(fields: Fields, name: bytes) -> list[bytes]:
    """Return the values of a header, in whatever case its name is."""
    return [value for given, value in fields if given.lower() == name]


def added_to(event: dict[str, Any], *, trace_id: bytes = b"") -> Fields:
    """Return the headers that stand at the end of every request for an event."""
    about = json.dumps(event["requestContext"], separators=(",", ":")).encode()
    added = [
        (b"x-amzn-request-context", about),
        (b"x-amzn-lambda-context", CONTEXT.lambda_context),
    ]
    return [*added, (b"x-amzn-trace-id", trace_id)] if trace_id else added


def response(
    body: bytes = b"", *fields: tuple[bytes, bytes], status: int = 200
) -> Response:
    """Return an application's response; its reason is always OK."""
    return Response(status, b"OK", list(fields), body)


def reply_of(event: dict[str, Any], answer: Response) -> dict[str, Any]:
    """Return the reply that a response to an event becomes."""
    kind = classify(encode(event))
    reply = json.loads(kind.encode_response(answer))
    assert isinstance(reply, dict)
    return reply


def prelude_of(event: dict[str, Any], answer: Response) -> bytes:
    """Return what comes before a streamed response to an event."""
    return classify(encode(event)).encode_prelude(answer)


def with_fields(name: str, fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an event with other headers, in the maps of its kind.

    Where the maps have one value a name, the last one stays, as in the gateways.
    """
    event = load(name)
    several: dict[str, list[Any]] = {}
    for field, value in fields:
        several.setdefault(field, []).append(value)
    last = {field: values[-1] for field, values in several.items()}
    if "multiValueHeaders" in event:
        event["multiValueHeaders"] = several
    if "headers" in event:
        event["headers"] = several if name == "vpc_lattice" else last
    return event


def raw(document: Any) -> msgspec.Raw:
    """Return a value as the bytes of its JSON."""
    return msgspec.Raw(encode(document))
