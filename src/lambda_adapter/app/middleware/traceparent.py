"""AWS_LWA_TRACEPARENT: Lambda's trace as the W3C's header.

https://www.w3.org/TR/trace-context/
"""

import re

import msgspec

from lambda_adapter.app.app import Call, Middleware
from lambda_adapter.http.messages import Fields, Request, Response

MAX_VALUE = 8_192
"""Bytes of a caller's ``tracestate`` or ``baggage`` that are handed on: what every
implementation takes of the latter. https://www.w3.org/TR/baggage/#limits"""

_X_RAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT = re.compile(r"[0-9a-f]{16}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class _ClientContext(msgspec.Struct):
    w3c: dict[str, msgspec.Raw] | None = None


def traceparent_of(trace_id: str) -> str:
    """Return X-Ray's ``Root=...;Parent=...;Sampled=1`` as a ``traceparent``.

    Both have 128 and 64 bits, in hexadecimal digits; X-Ray parts the first of them:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
    It is ``""`` where there is no parent, or where an id is not one, or nothing but
    zeros, which W3C excludes.
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
    """Return the trace context of a caller, from its client context, as fields.

    ``client_context`` is as the Runtime API gives it. AWS's own runtimes read its key
    ``w3c`` as well, and these three texts in it:
    https://github.com/aws/aws-lambda-python-runtime-interface-client
    What can't be a field is left out, and a ``tracestate`` without its ``traceparent``:
    https://www.w3.org/TR/trace-context/#tracestate-header
    """
    try:
        context = msgspec.json.decode(
            client_context.encode("latin-1"), type=_ClientContext
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    given = {name: _text(value) for name, value in (context.w3c or {}).items()}
    if not _TRACEPARENT.fullmatch(given.get("traceparent", "")):
        given.pop("traceparent", None)
        given.pop("tracestate", None)
    return [
        (name.encode(), given[name].encode())
        for name in ("traceparent", "tracestate", "baggage")
        if given.get(name)
    ]


def _text(value: msgspec.Raw) -> str:
    """Return a JSON text that can be a field's value, or an empty one."""
    try:
        text = msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return ""
    usable = text.isascii() and text.isprintable() and len(text) <= MAX_VALUE
    return text if usable else ""


class Traceparent(Middleware):
    """Adds the caller's trace context, or Lambda's trace in its form."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send the request, with a trace context if there is one to be had.

        A client's ``tracestate`` without a ``traceparent`` belongs to none:
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
    """Return the caller's trace context, and Lambda's trace where that names none."""
    context = called_with(call.invocation.client_context)
    traceparent = traceparent_of(call.invocation.trace_id)
    if traceparent and b"traceparent" not in dict(context):
        context.append((b"traceparent", traceparent.encode()))
    return context
