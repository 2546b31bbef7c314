"""Headers of events: their names and values, and those added or left out.

A header has a role, by its name. ``host``, ``cookie`` and ``connection`` are collected
and written once; ``dropped`` is what frames a message, what one hop says to the next,
and what only the adapter may add; ``trace`` is dropped if Lambda names a trace itself.
All others go on as they came, in their order and their spelling.

Names that nobody but the adapter may set are compared with case and punctuation folded
(``folded``), since CGI, WSGI and PHP fold them: ``X_Amzn_Request_Context`` would reach
an application as the adapter's own.

Clients send the same names, and the same values of some headers, all the time. To look
those up costs less than to check them again. The memory is bounded, and holds values
only of headers that are nobody's secret (``_REPEATED``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from lambda_adapter.errors import EventError
from lambda_adapter.http.memo import MAX_KNOWN_SIZE, memoize
from lambda_adapter.http.messages import (
    HOP_BY_HOP,
    TOKEN,
    Field,
    Fields,
    connection_options,
    folded,
)
from lambda_adapter.quoting import quote

_HOST = re.compile(
    rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::([0-9]{0,5}))?"
)
"""https://www.rfc-editor.org/rfc/rfc9110#section-7.2"""

MAX_PORT = 65_535

_known_hosts: dict[bytes, bytes] = {}


def one_host(hosts: Sequence[bytes], default: bytes) -> bytes:
    """Return the one valid Host: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.

    Raises:
        EventError: there are several, or it is invalid.
    """
    if len(hosts) > 1:
        raise EventError("more than one Host header")
    host = (hosts[0].strip() if hosts else b"") or default
    if host in _known_hosts:
        return host
    match = _HOST.fullmatch(host)
    if not match or int(match[2] or b"0") > MAX_PORT:  # which frameworks raise at
        raise EventError("invalid Host header")
    return memoize(_known_hosts, host, host)


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


def classify_header(name: str) -> tuple[bytes, str, bool]:
    """Return a field's name as it is sent, its role, and whether its values repeat.

    Raises:
        EventError: it is no name.
    """
    raw = name.encode()
    if not TOKEN.fullmatch(raw):
        raise EventError(f"invalid header field name: {quote(name)}")
    return memoize(known_names, name, (raw, _role(raw), raw.lower() in _REPEATED))


def _role(name: bytes) -> str:
    lower = name.lower()
    if lower in {b"host", b"cookie", b"connection"}:
        return lower.decode()
    if lower in _PROTOCOL:
        return "protocol"
    if folded(name) == TRACE_ID:
        return "trace"
    return "dropped" if folded(name) in _DROPPED | _OWNED else ""


Scalar = str | int | float | bool | None
"""A field's value in an event: text, but events written by hand have numbers."""

Lists = dict[str, list[Scalar] | None]
"""A map of lists of values; events written by hand have ``null`` for a name as well."""

Pairs = Iterable[tuple[str, Scalar]]


def single(values: Mapping[str, Scalar] | None) -> Pairs:
    """Return the pairs of a map of values."""
    return (values or {}).items()


def multiple(
    values: Mapping[str, list[Scalar] | Scalar] | None,
) -> Iterator[tuple[str, Scalar]]:
    """Return the pairs of a map of lists; a value alone is a list of one."""
    return (
        (name, value)
        for name, given in (values or {}).items()
        for value in (given if isinstance(given, list) else (given,))
    )


def every(lists: Lists | None, values: Mapping[str, Scalar] | None) -> Pairs:
    """Return the pairs of a map of lists; where there is none, of a map of values."""
    return multiple(lists) if lists else single(values)


def text(value: Scalar) -> str:
    """Return a value as text, as JSON spells it."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


_KEPT = re.compile(rb"host|authorization|cookie|forwarded|x-forwarded-.*|x-amzn?-.*")
"""Fields that a client's ``Connection`` may not remove: gateways set them, and
applications trust that."""

_WITH_CONTENT = frozenset({b"POST", b"PUT", b"PATCH"})
"""A request that is expected to have content says so when it has none:
https://www.rfc-editor.org/rfc/rfc9110#section-8.6"""

_known_pairs: dict[tuple[str, Scalar], tuple[Field, str]] = {}
"""Fields as they are sent, and their roles."""

_DANGEROUS = re.compile("[\r\n\0]")


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
            raw, role, repeats = known_names.get(name) or classify_header(name)
            field = raw, _encode_value(name, value)
            if repeats and isinstance(value, str) and len(value) <= MAX_KNOWN_SIZE:
                memoize(_known_pairs, pair, (field, role))
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
    return [(b"host", one_host(special.get("host", ()), host)), *kept, *added]


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


def _encode_value(name: str, value: Scalar) -> bytes:
    content = value if isinstance(value, str) else text(value)
    if content.isascii() and content.isprintable():
        return content.encode()
    # https://www.rfc-editor.org/rfc/rfc9110#section-5.5: CR, LF and NUL are dangerous,
    # other controls are not, within a field.
    if _DANGEROUS.search(content):
        raise EventError(
            f"the event's header field {quote(name)} has a line break or a NUL"
        )
    return content.encode()
