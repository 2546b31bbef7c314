"""The method of a request. Core: no I/O."""

from lambda_adapter.errors import EventError
from lambda_adapter.http.known import remember
from lambda_adapter.http.messages import TOKEN
from lambda_adapter.quoting import quoted

_known_methods: dict[str, bytes] = {}


def encode_method(method: str) -> bytes:
    """Return the method of a request.

    Raises:
        EventError: it is none, or CONNECT, which has no place behind a gateway.
    """
    if known := _known_methods.get(method):
        return known
    name = method.encode()
    if not TOKEN.fullmatch(name) or name == b"CONNECT":
        raise EventError(f"the event's method {quoted(method)} can't be sent")
    return remember(_known_methods, method, name)
