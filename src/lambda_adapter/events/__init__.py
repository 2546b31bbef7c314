"""Events: what Lambda delivers, told apart by shape.

``classify`` looks at which keys there are, never at whether a type happens to fit: an
HTTP event with a wrong value is a bad HTTP event, and not one of another kind. Never at
``version`` alone either, which EventBridge has as well.

Core: no I/O.
"""

import re

import msgspec

from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.event import NULL, Event, decode_as
from lambda_adapter.events.http_api import FunctionUrlEvent, HttpApiEvent
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent, VpcLatticeV1Event
from lambda_adapter.events.websocket import WebSocketEvent


class _Shape(msgspec.Struct, rename="camel"):
    """The keys that tell events apart, whatever their values."""

    request_context: msgspec.Raw = NULL
    http_method: msgspec.Raw = NULL
    path: msgspec.Raw = NULL
    version: msgspec.Raw = NULL
    multi_value_headers: msgspec.Raw = NULL
    method: msgspec.Raw = NULL
    raw_path: msgspec.Raw = msgspec.field(default=NULL, name="raw_path")


class _ContextShape(msgspec.Struct, rename="camel"):
    elb: msgspec.Raw = NULL
    service_arn: msgspec.Raw = NULL
    service_network_arn: msgspec.Raw = NULL
    target_group_arn: msgspec.Raw = NULL
    connection_id: msgspec.Raw = NULL
    event_type: msgspec.Raw = NULL
    http: msgspec.Raw = NULL
    domain_name: msgspec.Raw = NULL


def classify(payload: bytes) -> type[Event]:
    """Return the kind of an event.

    Raises:
        EventError: it is not JSON. Lambda lets an event be empty, though.
    """
    if not payload:
        return PassThroughEvent
    if not payload.lstrip(b" \t\r\n").startswith(b"{"):
        decode_as(_readable(payload), msgspec.Raw)
        return PassThroughEvent
    event = decode_as(_readable(payload), _Shape)
    is_object = bytes(event.request_context).startswith(b"{")
    context = decode_as(event.request_context, _ContextShape) if is_object else _EMPTY
    if _has(context.elb):
        return AlbMultiValueEvent if _has(event.multi_value_headers) else AlbEvent
    if (
        _has(context.service_arn)
        or _has(context.service_network_arn)
        or _has(context.target_group_arn)
    ):
        return VpcLatticeEvent
    if _has(event.raw_path) and _has(event.method):
        return VpcLatticeV1Event
    if _has(context.connection_id) and _has(context.event_type):
        return WebSocketEvent
    if _has(context.http):
        is_url = b".lambda-url." in bytes(context.domain_name)
        return FunctionUrlEvent if is_url else HttpApiEvent
    if _has(event.http_method) and _has(event.path):
        return HttpApiV1Event if bytes(event.version) == b'"1.0"' else RestApiEvent
    return PassThroughEvent


_EMPTY = _ContextShape()
_HALF_PAIR = re.compile(rb"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _readable(payload: bytes) -> bytes:
    """Return an event without escaped surrogates, which msgspec reads only in pairs.

    JSON may hold halves (https://www.rfc-editor.org/rfc/rfc8259#section-8.2), for
    example of an emoji that somebody cut in two. Its shape is the same without.
    """
    if b"\\ud" in payload or b"\\uD" in payload:
        return _HALF_PAIR.sub(rb"\1?", payload)
    return payload


def _has(value: msgspec.Raw) -> bool:
    return value is not NULL and bytes(value) != b"null"


__all__ = ["Event", "classify"]
