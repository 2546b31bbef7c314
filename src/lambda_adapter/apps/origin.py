"""Where a request came from, and under which name: for scopes and environs.

Core: no I/O.
"""

import msgspec

from lambda_adapter.apps.rewritten import PREFIX_FIELD
from lambda_adapter.events.event import Event
from lambda_adapter.events.source_ip import source_ip
from lambda_adapter.http.messages import Request

PORTS = {"https": 443, "http": 80}
"""https://www.rfc-editor.org/rfc/rfc9110#section-4.2"""


class Origin(msgspec.Struct, gc=False):
    """What a server would know of a connection."""

    scheme: str
    """``https`` or ``http``, as the gateway says."""
    server: tuple[str, int]
    """The host and the port that the client named."""
    client: str
    """The client's address as the gateway saw it, or nothing."""
    base_path: str
    """What was taken off the path, or nothing."""


def origin_of(request: Request, event: Event | None, base_path: str) -> Origin:
    """Return where a request came from.

    The address is the event's own: a client can write ``X-Forwarded-For``, and gateways
    only add to that. The scheme is ``http``, unless ``X-Forwarded-Proto`` is ``https``,
    as in all that comes through API Gateway or a function URL.
    """
    scheme, host, prefix, forwarded = "http", "localhost", b"", b""
    for name, value in request.fields:
        match name.lower():
            case b"host":
                host = value.decode("latin-1")
            case b"x-forwarded-proto" if value in {b"http", b"https"}:
                scheme = value.decode()
            case b"x-forwarded-for":
                forwarded = value
            case lower if lower == PREFIX_FIELD:
                prefix = value
    return Origin(
        scheme,
        _server(host, PORTS[scheme]),
        source_ip(event) or forwarded.rpartition(b",")[2].strip().decode("latin-1"),
        base_path if base_path and prefix == base_path.encode() else "",
    )


def _server(host: str, port: int) -> tuple[str, int]:
    name, colon, digits = host.rpartition(":")
    if colon and digits.isascii() and digits.isdigit() and len(digits) < 6:
        return name, int(digits)
    return host.removesuffix(":"), port
