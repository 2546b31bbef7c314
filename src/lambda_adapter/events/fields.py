"""Field lines of a request, from an event's maps.

A client can't forge what the adapter adds, can't reach the application's connection
with hop-by-hop fields, and can't end a line. Core: no I/O.
"""

import functools
import re
from collections.abc import Sequence

import msgspec

from lambda_adapter.errors import EventError, quoted
from lambda_adapter.events.pairs import Pairs, Scalar, text
from lambda_adapter.http.known import MAX_KNOWN_SIZE, remember
from lambda_adapter.http.messages import (
    HOP_BY_HOP,
    TOKEN,
    Field,
    Fields,
    connection_options,
    folded,
)

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

_KEPT = re.compile(rb"host|authorization|cookie|forwarded|x-forwarded-.*|x-amzn?-.*")
"""Fields that a client's ``Connection`` may not remove: gateways set them, and
applications trust that."""

_PROTOCOL = frozenset({b"x-forwarded-proto", b"forwarded"})
"""Where a gateway says how its client speaks to it."""

_WITH_CONTENT = frozenset({b"POST", b"PUT", b"PATCH"})
"""A request that is expected to have content says so when it has none:
https://www.rfc-editor.org/rfc/rfc9110#section-8.6"""

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

_known: dict[str, tuple[bytes, str, bool]] = {}
"""Names of fields, as ``_recognise`` returns them: clients send the same few."""

_known_pairs: dict[tuple[str, Scalar], tuple[Field, str]] = {}
"""Fields as they are sent, and their roles."""

_known_hosts: dict[bytes, bytes] = {}

_DANGEROUS = re.compile("[\r\n\0]")
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(:[0-9]*)?")
"""https://www.rfc-editor.org/rfc/rfc9110#section-7.2"""


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


@functools.lru_cache(maxsize=32)
def encode_method(method: str) -> bytes:
    """Return the method of a request.

    Raises:
        EventError: it is none, or CONNECT, which has no place behind a gateway.
    """
    name = method.encode()
    if not TOKEN.fullmatch(name) or name == b"CONNECT":
        raise EventError(f"the event's method {quoted(method)} can't be sent")
    return name


def request_fields(
    pairs: Pairs,
    *,
    method: bytes,
    body: bytes,
    cookies: Sequence[str] = (),
    host: bytes = b"localhost",
    https: bool = False,
    added: Fields,
    traced: bool = False,
) -> Fields:
    """Return the fields of the request to the application, ``Host`` first.

    Names keep their case and fields their order. ``Content-Length`` is that of what is
    sent. Cookies become one field (https://www.rfc-editor.org/rfc/rfc6265#section-5.4),
    ``cookies`` replacing those among the fields. ``https`` says so to an application
    whose gateway did not, and ``host`` is the ``Host`` of an event that has none. Where
    Lambda names the trace (``traced``), a client's own name for it is dropped.

    Raises:
        EventError: a field would be unsafe to send, or there is no one ``Host``.
    """
    held_back = _HELD_BACK_TRACE if traced else _HELD_BACK
    kept: Fields = []
    special: dict[str, list[bytes]] = {}
    for pair in pairs:
        known = _known_pairs.get(pair)
        if known is None:
            name, value = pair
            raw, role, repeats = _known.get(name) or _recognise(name)
            field = raw, _encode_value(name, value)
            if repeats and isinstance(value, str) and len(value) <= MAX_KNOWN_SIZE:
                remember(_known_pairs, pair, (field, role))
        else:
            field, role = known
        if role:
            special.setdefault(role, []).append(field[1])
            if role in held_back:
                continue
        kept.append(field)
    if "connection" in special:
        kept = _without_options(kept, special["connection"])
    if cookies:
        special["cookie"] = [_encode_value("cookie", "; ".join(cookies))]
    if "cookie" in special:
        kept.append((b"cookie", b"; ".join(special["cookie"])))
    if https and "protocol" not in special:
        kept.append((b"x-forwarded-proto", b"https"))
    if body or method in _WITH_CONTENT:
        kept.append((b"content-length", b"%d" % len(body)))
    return [(b"host", _one_host(special.get("host", ()), host)), *kept, *added]


def _recognise(name: str) -> tuple[bytes, str, bool]:
    """Return a field's name as it is sent, its role, and whether its values repeat.

    Raises:
        EventError: it is no name.
    """
    raw = name.encode()
    if not TOKEN.fullmatch(raw):
        raise EventError(f"invalid header field name: {quoted(name)}")
    return remember(_known, name, (raw, _role(raw), raw.lower() in _REPEATED))


def _role(name: bytes) -> str:
    lower = name.lower()
    if lower in {b"host", b"cookie", b"connection"}:
        return lower.decode()
    if lower in _PROTOCOL:
        return "protocol"
    if folded(name) == TRACE_ID:
        return "trace"
    return "dropped" if folded(name) in _DROPPED | _OWNED else ""


_HELD_BACK = frozenset({"host", "cookie", "connection", "dropped"})
"""Roles of fields that do not go on as they are."""

_HELD_BACK_TRACE = _HELD_BACK | {"trace"}
"""The same where Lambda names the trace."""


def _without_options(fields: Fields, values: Sequence[bytes]) -> Fields:
    """Return the fields that a client's ``Connection`` does not take away."""
    options = connection_options([(b"connection", value) for value in values])
    return [
        (name, value)
        for name, value in fields
        if name.lower() not in options or _KEPT.fullmatch(name.lower())
    ]


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


def _encode_value(name: str, value: Scalar) -> bytes:
    content = value if isinstance(value, str) else text(value)
    if content.isascii() and content.isprintable():
        return content.encode()
    # https://www.rfc-editor.org/rfc/rfc9110#section-5.5: CR, LF and NUL are dangerous,
    # other controls are not, within a field.
    if _DANGEROUS.search(content):
        raise EventError(
            f"the event's header field {quoted(name)} has a line break or a NUL"
        )
    return content.encode()


def _one_host(hosts: Sequence[bytes], default: bytes) -> bytes:
    """Return the one valid Host: https://www.rfc-editor.org/rfc/rfc9112#section-3.2."""
    if len(hosts) > 1:
        raise EventError("more than one Host header")
    host = (hosts[0].strip() if hosts else b"") or default
    if host in _known_hosts:
        return host
    if not _HOST.fullmatch(host):
        raise EventError("invalid Host header")
    return remember(_known_hosts, host, host)
