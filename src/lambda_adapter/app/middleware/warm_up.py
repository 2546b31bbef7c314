"""AWS_LWA_WARM_UP: reply to warm-up events without involving the application.

Such an event only keeps an environment alive. It is not a request, so an application
without a route for events would reject it, which would be an invocation error.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec
import trio

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Request, Response

MAX_SIZE = 8_192
"""Largest warm-up event in bytes. Schedules have 400; larger events are not parsed."""

MAX_DELAY = 1.0
"""Seconds that a warm-up event may ask for. OpenNext asks for 0.075."""

_NAME = re.compile(r"warmer|warm[-_]?up|keep[-\w]{0,40}warm", re.IGNORECASE)
"""Names of rules or schedules whose purpose is to keep a function warm."""

_SCHEDULERS = {b'"aws.events"', b'"aws.scheduler"'}
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html"""

_TRUE = {b"true", b"1", b'"true"', b'"1"'}

Document = dict[str, msgspec.Raw]


class WarmUp(Middleware):
    """Replies to warm-up events."""

    def __init__(
        self, transport: Transport, shapes: Sequence[tuple[str, str]], server: str
    ) -> None:
        super().__init__(transport)
        self._shapes = [(key, _spell_value(text)) for key, text in shapes]
        self._server = server

    async def send(self, request: Request, call: Call) -> Response:
        """Reply to a warm-up event; send anything else."""
        document = _small_object(call)
        if not self._is_warm_up(document):
            return await self._transport.send(request, call)
        delay = _warm_up_delay(document)
        if delay > 0:
            # Concurrent events are meant to warm several environments. Without a delay,
            # one environment could serve them all in turn:
            # https://opennext.js.org/aws/inner_workings/components/warmer
            await trio.sleep(min(delay, MAX_DELAY))
        body = msgspec.json.encode({"type": "warmer", "serverId": self._server})
        fields = [(b"content-type", b"application/json")]
        return Response(200, b"OK", fields, body)

    def _is_warm_up(self, document: Document) -> bool:
        if any(bytes(document.get(key, b"")) in said for key, said in self._shapes):
            return True
        if bytes(document.get("source", b"")) not in _SCHEDULERS:
            return False
        return any(_NAME.search(name) for name in _rule_names(document))


def _spell_value(text: str) -> set[bytes]:
    return _TRUE if text == "true" else {msgspec.json.encode(text), text.encode()}


def _small_object(call: Call) -> Document:
    payload = call.invocation.payload
    if call.kind is not PassThroughEvent or len(payload) > MAX_SIZE:
        return {}
    return _decode_as(payload, Document) or {}


def _warm_up_delay(document: Document) -> float:
    """Return the delay in seconds; OpenNext's warmer states it in milliseconds."""
    return (_decode_as(document.get("delay", b"0"), float) or 0) / 1000


def _rule_names(document: Document) -> list[str]:
    """Return the names of the rules or schedules that sent an event."""
    arns = _decode_as(document.get("resources", b"[]"), list[str]) or []
    return [arn.rpartition(":")[2].partition("/")[2] for arn in arns]


T = TypeVar("T")


def _decode_as(document: bytes | msgspec.Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(document, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
