"""AWS_LWA_TRACEPARENT: convert Lambda's trace ID to the W3C's header.

https://www.w3.org/TR/trace-context/
"""

import re

import msgspec

from lambda_adapter.app.app import Call, Middleware
from lambda_adapter.http.messages import Fields, Request, Response

MAX_VALUE = 8_192
"""Most bytes of a caller's ``tracestate`` or ``baggage`` to forward: what every
implementation must accept of the latter. https://www.w3.org/TR/baggage/#limits"""

_X_RAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class _ClientContext(msgspec.Struct):
    w3c: dict[str, msgspec.Raw] | None = None


def traceparent_of(trace_id: str) -> str:
    """Convert X-Ray's ``Root=...;Parent=...;Sampled=1`` to a ``traceparent``.

    Both have IDs of 128 and 64 bits in hexadecimal digits; X-Ray splits the first:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
    Return ``""`` if there is no parent, or an ID is invalid or all zeros, which the W3C
    forbids.
    """
    parts = dict(part.partition("=")[::2] for part in trace_id.split(";"))
    root = _X_RAY.fullmatch(parts.get("Root", ""))
    parent = parts.get("Parent", "")
    if root is None or not _PARENT.fullmatch(parent):
        return ""
    trace = root[1] + root[2]
    if not trace.strip("0") or not parent.strip("0"):
        return ""
    return f"00-{trace}-{parent}-{'01' if parts.get('Sampled') == '1' else '00'}"


def called_with(client_context: str) -> list[tuple[bytes, bytes]]:
    """Return the trace context in a caller's client context, as headers.

    ``client_context`` is as the Runtime API sends it. AWS's own runtimes also read
    these three texts from its key ``w3c``:
    https://github.com/aws/aws-lambda-python-runtime-interface-client Invalid values are
    left out, and so is a ``tracestate`` without a ``traceparent``:
    https://www.w3.org/TR/trace-context/#tracestate-header
    """
    try:
        context = msgspec.json.decode(
            client_context.encode("latin-1"), type=_ClientContext
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    given = {name: _decode_value(value) for name, value in (context.w3c or {}).items()}
    if not _TRACEPARENT.fullmatch(given.get("traceparent", "")):
        given.pop("traceparent", None)
        given.pop("tracestate", None)
    return [
        (name.encode(), given[name].encode())
        for name in ("traceparent", "tracestate", "baggage")
        if given.get(name)
    ]


def _decode_value(value: msgspec.Raw) -> str:
    """Return a JSON string if it can be a header's value, else ``""``."""
    try:
        text = msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return ""
    usable = text.isascii() and text.isprintable() and len(text) <= MAX_VALUE
    return text if usable else ""


class Traceparent(Middleware):
    """Adds the caller's trace context, or Lambda's trace ID in the same form."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send the request, with a trace context if one is known.

        A client's ``tracestate`` without a ``traceparent`` is meaningless, so it is
        dropped:
        https://www.w3.org/TR/trace-context/#tracestate-header
        """
        given = {name.lower() for name, _ in request.fields}
        if b"traceparent" not in given:
            fields = [(n, v) for n, v in request.fields if n.lower() != b"tracestate"]
            given.discard(b"tracestate")
            fields += [(n, v) for n, v in _context(call) if n not in given]
            request = msgspec.structs.replace(request, fields=fields)
        return await self._transport.send(request, call)


def _context(call: Call) -> Fields:
    """Return the caller's trace context, with Lambda's trace ID as its fallback."""
    context = called_with(call.invocation.client_context)
    traceparent = traceparent_of(call.invocation.trace_id)
    if traceparent and b"traceparent" not in dict(context):
        context.append((b"traceparent", traceparent.encode()))
    return context
