"""The most frequent events, those of HTTP APIs and function URLs, read at once.

To tell the kind of an event, to read it and to read its context are three scans. Here
they are two, for well-formed events with nothing in them that speaks for another kind;
what they become is the same. Core: no I/O.
"""

import msgspec

from lambda_adapter.events.event import NULL
from lambda_adapter.events.http_api import (
    FunctionUrlEvent,
    HttpApiEvent,
    RequestContext,
)


class _HttpApi(HttpApiEvent, frozen=True):
    read_context: RequestContext | None = None

    def context(self) -> RequestContext:
        return self.read_context or super().context()


class _FunctionUrl(FunctionUrlEvent, frozen=True):
    read_context: RequestContext | None = None

    def context(self) -> RequestContext:
        return self.read_context or super().context()


class _Shape(HttpApiEvent, frozen=True):
    """An event, and the keys that speak for another kind (``classify``)."""

    method: msgspec.Raw = NULL
    method_arn: msgspec.Raw = NULL
    route_arn: msgspec.Raw = NULL


class _ContextShape(RequestContext, frozen=True, gc=False):
    elb: msgspec.Raw = NULL
    service_arn: msgspec.Raw = NULL
    service_network_arn: msgspec.Raw = NULL
    target_group_arn: msgspec.Raw = NULL
    connection_id: msgspec.Raw = NULL


_read_event = msgspec.json.Decoder(_Shape).decode
_read_context = msgspec.json.Decoder(_ContextShape).decode


def read_usual(payload: bytes) -> HttpApiEvent | None:
    """Return a well-formed event of an HTTP API or a function URL, None for others."""
    try:
        event = _read_event(payload)
        context = _read_context(event.request_context)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not (
        event.method
        is event.method_arn
        is event.route_arn
        is context.elb
        is context.service_arn
        is context.service_network_arn
        is context.target_group_arn
        is context.connection_id
        is NULL
    ):
        return None
    is_url = ".lambda-url." in (context.domain_name or "")
    return (_FunctionUrl if is_url else _HttpApi)(
        event.request_context,
        event.raw_path,
        event.raw_query_string,
        event.headers,
        event.cookies,
        event.body,
        event.is_base64_encoded,
        context,
    )
