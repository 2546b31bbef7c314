"""Names of a request's fields: those that an event may have, and what becomes of them.

Core: no I/O.
"""

from lambda_adapter.errors import EventError
from lambda_adapter.http.known import remember
from lambda_adapter.http.messages import HOP_BY_HOP, TOKEN, folded
from lambda_adapter.quoting import quoted

LAMBDA_CONTEXT = b"x-amzn-lambda-context"
REQUEST_CONTEXT = b"x-amzn-request-context"
REQUEST_ID = b"x-amzn-requestid"
"""The name under which AWS's services, Lambda's Invoke among them, return an id that
their logs have: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
TENANT_ID = b"x-amz-tenant-id"
TRACE_ID = b"x-amzn-trace-id"

_OWNED = frozenset({LAMBDA_CONTEXT, REQUEST_CONTEXT, REQUEST_ID, TENANT_ID})
_DROPPED = HOP_BY_HOP | {b"content-length", b"expect"}
"""Compared as ``folded``: to a server that folds names, ``Content_Length`` frames."""

_PROTOCOL = frozenset({b"x-forwarded-proto", b"forwarded"})
"""Where a gateway says how its client speaks to it."""

_REPEATED = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"content-type",
        b"dnt",
        b"host",
        b"pragma",
        b"priority",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"via",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }
)
"""Fields of which many clients send the same few values, and none that is a secret."""

known_names: dict[str, tuple[bytes, str, bool]] = {}
"""Names of fields, as ``recognise`` returns them: clients send the same few."""


def recognise(name: str) -> tuple[bytes, str, bool]:
    """Return a field's name as it is sent, its role, and whether its values repeat.

    Raises:
        EventError: it is no name.
    """
    raw = name.encode()
    if not TOKEN.fullmatch(raw):
        raise EventError(f"invalid header field name: {quoted(name)}")
    return remember(known_names, name, (raw, _role(raw), raw.lower() in _REPEATED))


def _role(name: bytes) -> str:
    lower = name.lower()
    if lower in {b"host", b"cookie", b"connection"}:
        return lower.decode()
    if lower in _PROTOCOL:
        return "protocol"
    if folded(name) == TRACE_ID:
        return "trace"
    return "dropped" if folded(name) in _DROPPED | _OWNED else ""
