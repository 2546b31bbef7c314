"""Events: what Lambda delivers, told apart by shape.

``classify`` looks at which keys there are, never at whether a type happens to fit: an
HTTP event with a wrong value is a bad HTTP event, and not one of another kind. Never at
``version`` alone either, which EventBridge has as well.

Core: no I/O.
"""

import re
from typing import TypeVar

import msgspec

from lambda_adapter.errors import EventError
from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.event import NULL, Event, decode_as
from lambda_adapter.events.http_api import FunctionUrlEvent, HttpApiEvent
from lambda_adapter.events.pairs import Scalar
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent, VpcLatticeV1Event
from lambda_adapter.events.websocket import WebSocketEvent


class _ContextShape(msgspec.Struct, rename="camel", gc=False):
    """The keys that tell contexts apart."""

    elb: msgspec.Raw = NULL
    service_arn: msgspec.Raw = NULL
    service_network_arn: msgspec.Raw = NULL
    target_group_arn: msgspec.Raw = NULL
    connection_id: msgspec.Raw = NULL
    event_type: msgspec.Raw = NULL
    http: msgspec.Raw = NULL
    domain_name: msgspec.Raw = NULL


class _Shape(msgspec.Struct, rename="camel", gc=False):
    """The keys that tell events apart, whatever their values."""

    request_context: _ContextShape | list[msgspec.Raw] | Scalar = None
    http_method: msgspec.Raw = NULL
    path: msgspec.Raw = NULL
    version: msgspec.Raw = NULL
    multi_value_headers: msgspec.Raw = NULL
    method: msgspec.Raw = NULL
    raw_path: msgspec.Raw = msgspec.field(default=NULL, name="raw_path")
    method_arn: msgspec.Raw = NULL
    route_arn: msgspec.Raw = NULL


def classify(payload: bytes) -> type[Event]:
    """Return the kind of an event.

    An authorizer's event describes the request that it is to judge, and wants a policy
    in reply: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

    Raises:
        EventError: it is not JSON. Lambda lets an event be empty, though.
    """
    if not payload:
        return PassThroughEvent
    if payload[:1] != b"{" and payload.lstrip(b" \t\r\n")[:1] != b"{":
        _decode(payload, msgspec.Raw)
        return PassThroughEvent
    event = _decode(payload, _Shape)
    context = event.request_context
    if not isinstance(context, _ContextShape):
        context = _EMPTY
    if _has(event.method_arn) or _has(event.route_arn):
        return PassThroughEvent
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


T = TypeVar("T")
_EMPTY = _ContextShape()
_HALF_PAIR = re.compile(rb"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _decode(payload: bytes, shape: type[T]) -> T:
    """Read an event, without escaped surrogates if it can't be read with them.

    JSON may hold halves of pairs, and msgspec reads none
    (https://www.rfc-editor.org/rfc/rfc8259#section-8.2): half an emoji, for example,
    that somebody cut in two. The event's shape is the same without.
    """
    try:
        return decode_as(payload, shape)
    except EventError:
        return decode_as(_HALF_PAIR.sub(rb"\1?", payload), shape)


def _has(value: msgspec.Raw) -> bool:
    return value is not NULL and bytes(value) != b"null"


__all__ = ["Event", "classify"]
