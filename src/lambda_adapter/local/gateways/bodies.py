"""A request's body in an event: text, or base64. Core: no I/O."""

import base64
import re

from lambda_adapter.local.gateways.arrival import Arrival

_TEXT = re.compile(r"text/.*|application/(json|javascript|xml)")
"""Not forms, not ``+json``, and not what has no type:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer"""


def text_or_base64(arrival: Arrival) -> tuple[str, bool]:
    """Return the body, and whether it is base64, as all but REST APIs have it."""
    if _TEXT.fullmatch(media_type(arrival)) and not arrival.value(b"content-encoding"):
        try:
            return arrival.body.decode(), False
        except UnicodeDecodeError:
            pass
    return as_base64(arrival.body)


def as_base64(body: bytes) -> tuple[str, bool]:
    """Return a body in base64, and whether there is any."""
    return base64.b64encode(body).decode(), bool(body)


def media_type(arrival: Arrival) -> str:
    """Return the type of the body, without its parameters."""
    return arrival.value(b"content-type").partition(";")[0].strip().lower()


def matches(media_type: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a type is one of those listed, such as ``image/*`` or ``*/*``.

    A type that is itself a pattern, as in ``Accept: */*``, matches ``*/*`` alone:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    main = media_type.partition("/")[0]
    return any(
        pattern in {"*/*", media_type}
        or (pattern.endswith("/*") and pattern[:-2] == main)
        for pattern in patterns
    )
