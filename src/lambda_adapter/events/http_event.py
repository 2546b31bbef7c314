"""Events that are a client's request, from whichever gateway.

Each kind names the parts of the request; here they are put together, once for all.

Core: no I/O.
"""

from collections.abc import Sequence

import msgspec

from lambda_adapter.events.body import decode_body
from lambda_adapter.events.context import Context, added_fields
from lambda_adapter.events.event import Event, request_context_field
from lambda_adapter.events.fields import request_fields
from lambda_adapter.events.method import encode_method
from lambda_adapter.events.pairs import Pairs
from lambda_adapter.http.messages import Request


class RequestParts(msgspec.Struct, frozen=True, gc=False):
    """What an event says of a request."""

    method: str
    target: bytes
    """In origin-form: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1"""
    pairs: Pairs
    body: str | None
    is_base64_encoded: bool | None
    request_context: msgspec.Raw
    cookies: Sequence[str] = ()
    domain: str = ""
    """The gateway's own name, for an event without a ``Host``."""
    https: bool = False
    """Whether the gateway speaks nothing else, and does not say so."""


class HttpEvent(Event, frozen=True):
    """An event whose source gets HTTP in return, failures included."""

    def parts(self) -> RequestParts:
        """Return the parts of the request.

        Raises:
            EventError: the event has a value of the wrong type.
        """
        raise NotImplementedError

    def request(self, context: Context) -> Request:
        """Return the request to the application.

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
