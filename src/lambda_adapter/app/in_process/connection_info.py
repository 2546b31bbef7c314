"""Find out about the client's connection: addresses, ports and scheme."""

import msgspec

from lambda_adapter.app.middleware.rewrite import PREFIX_FIELD
from lambda_adapter.events.event import Event
from lambda_adapter.http.messages import Request
from lambda_adapter.setting_parsers import AUTO


class _Named(msgspec.Struct, rename="camel", gc=False):
    source_ip: str | None = None


class _RequestContext(msgspec.Struct, gc=False):
    identity: _Named | None = None
    """Of REST APIs, and of HTTP APIs in format 1.0."""
    http: _Named | None = None
    """Of HTTP APIs in format 2.0, and of function URLs."""


def source_ip(event: Event | None) -> str:
    """Return the client's address, or ``""`` if the event does not name it.

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


PORTS = {"https": 443, "http": 80}
"""https://www.rfc-editor.org/rfc/rfc9110#section-4.2"""


MAX_PORT = 65_535

LOCAL = "127.0.0.1"
"""The client of an event that names none, such as a queue's or a load balancer's health
check. Behind a server it would be the adapter, and applications rely on having one."""


class ConnectionInfo(msgspec.Struct, gc=False):
    """What a web server would know about a connection."""

    scheme: str
    """``https`` or ``http``, as the gateway says."""
    server: tuple[str, int]
    """The host and the port that the client named."""
    client: str
    """The client's address as the gateway saw it, or ``LOCAL``."""
    base_path: str
    """What the client's URL has before the path, or nothing."""


def find_connection_info(
    request: Request, event: Event | None, base_path: str
) -> ConnectionInfo:
    """Return where a request came from.

    The scheme is ``http``, unless ``X-Forwarded-Proto`` is ``https``, as it is behind
    API Gateway and function URLs.
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
    return ConnectionInfo(
        scheme,
        _server(host, PORTS[scheme]),
        # Not the first of ``X-Forwarded-For``: a client can send that header, and
        # gateways add the address that they see at its end.
        source_ip(event) or _last_address(forwarded) or LOCAL,
        _told_prefix(prefix, base_path),
    )


def _last_address(forwarded: bytes) -> str:
    return forwarded.rpartition(b",")[2].strip().decode("latin-1")


def _told_prefix(prefix: bytes, base_path: str) -> str:
    """Return the prefix if the adapter has set it, not a client."""
    is_told = base_path == AUTO or prefix == base_path.encode()
    return prefix.decode() if base_path and is_told else ""


def _server(host: str, port: int) -> tuple[str, int]:
    name, colon, digits = host.rpartition(":")
    # ``[::1]`` has colons, but no port.
    if not colon or (name.startswith("[") and not name.endswith("]")):
        return host, port
    given = digits.lstrip("0") or digits[:1]
    is_port = given.isascii() and given.isdigit() and int(given[:6]) <= MAX_PORT
    return name, int(given) if is_port else port
