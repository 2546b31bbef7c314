"""The base class of HTTP events: it builds a request from the parts of an event."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from lambda_adapter.errors import EventError
from lambda_adapter.events.body import decode_body
from lambda_adapter.events.event import (
    Context,
    Event,
    added_fields,
    request_context_field,
)
from lambda_adapter.events.headers import Pairs, request_fields
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import TOKEN, Request
from lambda_adapter.quoting import quote

_known_methods: dict[str, bytes] = {}


def encode_method(method: str) -> bytes:
    """Return the method of a request in bytes.

    Raises:
        EventError: the method is not a token, or is CONNECT, which only proxies serve.
    """
    if known := _known_methods.get(method):
        return known
    name = method.encode()
    if not TOKEN.fullmatch(name) or name == b"CONNECT":
        raise EventError(f"the event's method {quote(method)} can't be sent")
    return memoize(_known_methods, method, name)


class RequestParts(msgspec.Struct, frozen=True, gc=False):
    """The parts of an event that make a request."""

    method: str
    target: bytes
    """In origin-form: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1"""
    pairs: Pairs
    body: str | None
    is_base64_encoded: bool | None
    request_context: msgspec.Raw
    cookies: Sequence[str] = ()
    domain: str = ""
    """The gateway's domain name, for an event without a ``Host``."""
    https: bool = False
    """Whether the gateway accepts only HTTPS; its events do not state the protocol."""


class HttpEvent(Event, frozen=True):
    """An event whose source expects an HTTP response, even when something fails."""

    is_http: ClassVar[bool] = True

    def parts(self) -> RequestParts:
        """Return the parts of the request.

        Raises:
            EventError: a value has the wrong type.
        """
        raise NotImplementedError

    def request(self, context: Context) -> Request:
        """Return the request for the application.

        Raises:
            EventError: the event cannot be expressed as an HTTP request.
        """
        parts = self.parts()
        method = encode_method(parts.method)
        body = decode_body(parts.body, parts.is_base64_encoded)
        fields = request_fields(
            parts.pairs,
            method=method,
            body=body,
            cookies=parts.cookies,
            host=parts.domain.encode() or context.host,
            https=parts.https,
            added=added_fields(context, request_context_field(parts.request_context)),
            traced=bool(context.trace_id),
        )
        return Request(method, parts.target, fields, body)
