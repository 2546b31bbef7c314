"""What the adapter adds to a request, beside the event. Core: no I/O."""

import msgspec

from lambda_adapter.events.names import (
    LAMBDA_CONTEXT,
    REQUEST_CONTEXT,
    REQUEST_ID,
    TENANT_ID,
    TRACE_ID,
)
from lambda_adapter.http.messages import Fields


class Context(msgspec.Struct, frozen=True, gc=False):
    """What the adapter adds to a request, beside the event."""

    lambda_context: bytes
    """JSON, as ``runtime.context.encode_lambda_context`` makes it."""
    trace_id: bytes = b""
    tenant_id: bytes = b""
    pass_through_path: bytes = b"/events"
    host: bytes = b"localhost"
    """The application's own, for events that have none."""
    request_id: bytes = b""


def added_fields(context: Context, request_context: bytes) -> Fields:
    """Return the fields that only the adapter may set."""
    added = [
        (REQUEST_CONTEXT, request_context),
        (LAMBDA_CONTEXT, context.lambda_context),
    ]
    if context.request_id:
        added.append((REQUEST_ID, context.request_id))
    if context.trace_id:
        added.append((TRACE_ID, context.trace_id))
    if context.tenant_id:
        added.append((TENANT_ID, context.tenant_id))
    return added
