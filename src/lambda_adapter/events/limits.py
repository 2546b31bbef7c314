"""What gateways take of a reply, and what to say of one that is too much.

Core: no I/O.
"""

from lambda_adapter.errors import ResponseTooLargeError
from lambda_adapter.events.event import Event
from lambda_adapter.http.messages import Response

NEARLY = 0.95
"""Part of a limit at which there is a warning of it."""


def within_limit(kind: type[Event], reply: bytes) -> bytes:
    """Return a reply that its source takes.

    Raises:
        ResponseTooLargeError: it would not.
    """
    if len(reply) > kind.max_reply:
        raise ResponseTooLargeError(
            f"the reply is {len(reply):,} bytes long as JSON, over the limit of"
            f" {kind.max_reply:,}"
        )
    return reply


def find_wide_fields(kind: type[Event], response: Response, size: int) -> str | None:
    """Say so if a gateway is about to refuse a response for its fields.

    They are within ``size`` bytes of JSON, so a small reply needs no counting.
    """
    if size < kind.max_fields * NEARLY:
        return None
    fields = sum(len(name) + len(value) for name, value in response.fields)
    if fields < kind.max_fields * NEARLY:
        return None
    return (
        f"the header fields of the response take {fields:,} bytes; over"
        f" {kind.max_fields:,}, the gateway responds with 5xx instead"
    )
