"""Find out which kind of event Lambda delivered, by its shape.

``classify`` decides by which keys an event has, never by whether their values have the
right types: an HTTP event with a wrong value is a bad HTTP event, not another kind.
``version`` alone decides nothing, since EventBridge's events have that key as well.

``read_fast`` reads the events of HTTP APIs and function URLs in one pass; whatever it
declines is classified.
"""

from typing import TypeVar

import msgspec

from lambda_adapter.errors import EventError
from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.event import NULL, Event, decode_as
from lambda_adapter.events.headers import Scalar
from lambda_adapter.events.http_api import (
    FunctionUrlEvent,
    HttpApiEvent,
    RequestContext,
)
from lambda_adapter.events.pass_through import (
    BatchEvent,
    PassThroughEvent,
    WebSocketEvent,
)
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.surrogates import without_surrogates
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent, VpcLatticeV1Event


class _ContextShape(msgspec.Struct, rename="camel", gc=False):
    """The keys that distinguish the kinds of ``requestContext``."""

    elb: msgspec.Raw = NULL
    service_arn: msgspec.Raw = NULL
    service_network_arn: msgspec.Raw = NULL
    target_group_arn: msgspec.Raw = NULL
    connection_id: msgspec.Raw = NULL
    event_type: msgspec.Raw = NULL
    http: msgspec.Raw = NULL
    domain_name: msgspec.Raw = NULL


class _Shape(msgspec.Struct, rename="camel", gc=False):
    """The keys that distinguish the kinds of event, whatever their values."""

    request_context: _ContextShape | list[msgspec.Raw] | Scalar = None
    http_method: msgspec.Raw = NULL
    path: msgspec.Raw = NULL
    version: msgspec.Raw = NULL
    multi_value_headers: msgspec.Raw = NULL
    method: msgspec.Raw = NULL
    raw_path: msgspec.Raw = msgspec.field(default=NULL, name="raw_path")
    method_arn: msgspec.Raw = NULL
    route_arn: msgspec.Raw = NULL
    items: msgspec.Raw = msgspec.field(default=NULL, name="Records")
    event_source: msgspec.Raw = NULL
    records: msgspec.Raw = NULL
    rmq_messages_by_queue: msgspec.Raw = NULL
    delivery_stream_arn: msgspec.Raw = NULL


class _Item(msgspec.Struct, rename="camel", gc=False):
    event_source: msgspec.Raw = NULL


def classify(payload: bytes) -> type[Event]:
    """Return the kind of an event.

    Raises:
        EventError: the payload is not JSON. An empty one is allowed, as on Lambda.
    """
    if not payload:
        return PassThroughEvent
    if payload[:1] != b"{" and payload.lstrip(b" \t\r\n")[:1] != b"{":
        return _classify_value(payload)
    event = _decode(payload, _Shape)
    # The order matters: the events of authorizers and of load balancers have all keys
    # of a REST API's event as well, so that kind is tried last.
    context = event.request_context
    if not isinstance(context, _ContextShape):
        context = _EMPTY
    # An authorizer's event describes an HTTP request, but expects a policy in reply:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    if _is_present(event.method_arn) or _is_present(event.route_arn):
        return PassThroughEvent
    if _is_present(context.elb):
        return (
            AlbMultiValueEvent if _is_present(event.multi_value_headers) else AlbEvent
        )
    if (
        _is_present(context.service_arn)
        or _is_present(context.service_network_arn)
        or _is_present(context.target_group_arn)
    ):
        return VpcLatticeEvent
    if _is_present(event.raw_path) and _is_present(event.method):
        return VpcLatticeV1Event
    if _is_present(context.connection_id) and _is_present(context.event_type):
        return WebSocketEvent
    if _is_present(context.http):
        is_url = b".lambda-url." in bytes(context.domain_name)
        return FunctionUrlEvent if is_url else HttpApiEvent
    if _is_present(event.http_method) and _is_present(event.path):
        return HttpApiV1Event if bytes(event.version) == b'"1.0"' else RestApiEvent
    return BatchEvent if _is_batch(event) else PassThroughEvent


def _is_batch(event: _Shape) -> bool:
    """Return whether an event is a batch whose source may read the reply.

    SQS, Kinesis and DynamoDB have ``Records``, and so do S3, SNS and others, which
    ignore the reply. Kafka, Amazon MQ and DocumentDB name their source outside the
    items:
    https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
    https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
    https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
    So does Firehose: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesisfirehose.html
    """
    return (
        _is_present(event.items)
        or _is_present(event.event_source)
        or _is_present(event.rmq_messages_by_queue)
        or _is_present(event.delivery_stream_arn)
        or _begins_object(event.records)  # Kafka's, by topic and partition
    )


def _classify_value(payload: bytes) -> type[Event]:
    """Return the kind of an event that is not an object.

    EventBridge Pipes send a list of records, each with its source:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html

    Raises:
        EventError: the payload is not JSON.
    """
    if payload.lstrip(b" \t\r\n")[:1] != b"[":
        _decode(payload, msgspec.Raw)
        return PassThroughEvent
    items = _decode(payload, list[msgspec.Raw])
    if items and _begins_object(items[0]):
        record = _decode(bytes(items[0]), _Item)
        if _is_present(record.event_source):
            return BatchEvent
    return PassThroughEvent


T = TypeVar("T")
_EMPTY = _ContextShape()


def _decode(payload: bytes, shape: type[T]) -> T:
    """Decode an event; if its escaped surrogates prevent that, replace them first.

    The replacement does not change the event's shape.
    """
    try:
        return decode_as(payload, shape)
    except EventError:
        cleaned = without_surrogates(payload)
        if cleaned is payload:
            raise
        return decode_as(cleaned, shape)


def _begins_object(value: msgspec.Raw) -> bool:
    return bytes(memoryview(value)[:1]) == b"{"


def _is_present(value: msgspec.Raw) -> bool:
    # ``null`` counts as absent: hand-written events have it for keys that do not apply.
    return value is not NULL and value != NULL


class _HttpApi(HttpApiEvent, frozen=True):
    read_context: RequestContext | None = None

    def context(self) -> RequestContext:
        return self.read_context or super().context()


class _FunctionUrl(FunctionUrlEvent, frozen=True):
    read_context: RequestContext | None = None

    def context(self) -> RequestContext:
        return self.read_context or super().context()


class _FastShape(HttpApiEvent, frozen=True):
    """An HTTP API's event, and the keys that would make it another kind."""

    method: msgspec.Raw = NULL
    method_arn: msgspec.Raw = NULL
    route_arn: msgspec.Raw = NULL


class _FastContextShape(RequestContext, frozen=True, gc=False):
    elb: msgspec.Raw = NULL
    service_arn: msgspec.Raw = NULL
    service_network_arn: msgspec.Raw = NULL
    target_group_arn: msgspec.Raw = NULL
    connection_id: msgspec.Raw = NULL


_read_event = msgspec.json.Decoder(_FastShape).decode
_read_context = msgspec.json.Decoder(_FastContextShape).decode


def read_fast(payload: bytes) -> HttpApiEvent | None:
    """Return a well-formed event of an HTTP API or a function URL, None for others.

    One pass instead of two: the event is decoded together with the keys by which
    ``classify`` would have chosen another kind, which must all be absent.
    """
    try:
        event = _read_event(payload)
        context = _read_context(event.request_context)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # ``is`` throughout: a key that is present, with whatever value, is another object
    # than the default.
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
