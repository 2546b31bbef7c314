"""The address that a gateway saw a request come from. Core: no I/O."""

import msgspec

from lambda_adapter.events.event import Event


class _Named(msgspec.Struct, rename="camel", gc=False):
    source_ip: str | None = None


class _RequestContext(msgspec.Struct, gc=False):
    identity: _Named | None = None
    """Of REST APIs, and of HTTP APIs in format 1.0."""
    http: _Named | None = None
    """Of HTTP APIs in format 2.0, and of function URLs."""


def source_ip(event: Event | None) -> str:
    """Return the client's address, or nothing where the event does not name it.

    Load balancers and VPC Lattice name it in ``X-Forwarded-For`` alone, at its end.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    context = getattr(event, "request_context", None)
    if not isinstance(context, msgspec.Raw):
        return ""
    try:
        said = msgspec.json.decode(context, type=_RequestContext)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    named = said.http or said.identity
    return (named and named.source_ip) or ""
