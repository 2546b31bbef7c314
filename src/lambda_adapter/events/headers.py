"""Turn the headers of an event into those of the request to the application.

A header has a role, decided by its name. ``host``, ``cookie`` and ``connection`` are
collected and written once. ``dropped`` are those that frame a message, that are meant
for one hop, or that only the adapter may add. ``trace`` is dropped if Lambda sends a
trace ID. All others are forwarded unchanged, in their order and spelling.

Names that only the adapter may set are compared with case and punctuation folded
(``folded``), since CGI, WSGI and PHP fold them: to such an application,
``X_Amzn_Request_Context`` from a client would look like the adapter's own header.

Clients send the same names, and the same values of some headers, all the time. Looking
them up costs less than checking them again. The memory is bounded, and it holds values
only of headers that never carry a secret (``_REPEATED``).
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
    rb"(?:\[[0-9A-Fa-f:.]+\]|\[[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\]"
    rb"|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::0*([0-9]{0,5}))?"
)
"""An IPv6 address, an address of a later version of IP, or a name; and a port, which
may have leading zeros: https://www.rfc-editor.org/rfc/rfc9110#section-7.2 and
https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2"""

MAX_PORT = 65_535

_known_hosts: dict[bytes, bytes] = {}


def one_host(hosts: Sequence[bytes], default: bytes) -> bytes:
    """Return the valid Host: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.

    Raises:
        EventError: there is more than one Host, or it is invalid.
    """
    if len(hosts) > 1:
        raise EventError("more than one Host header")
    host = (hosts[0].strip() if hosts else b"") or default
    if host in _known_hosts:
        return host
    match = _HOST.fullmatch(host)
    # Frameworks raise an exception for a port that is out of range: a client's mistake
    # would be an error of the application.
    if not match or int(match[1] or b"0") > MAX_PORT:
        raise EventError("invalid Host header")
    return memoize(_known_hosts, host, host)


LAMBDA_CONTEXT = b"x-amzn-lambda-context"
REQUEST_CONTEXT = b"x-amzn-request-context"
REQUEST_ID = b"x-amzn-requestid"
"""The header in which AWS's services, such as Lambda's Invoke, return the request ID
that appears in their logs: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
TENANT_ID = b"x-amz-tenant-id"
TRACE_ID = b"x-amzn-trace-id"

_OWNED = frozenset({LAMBDA_CONTEXT, REQUEST_CONTEXT, REQUEST_ID, TENANT_ID})
_DROPPED = HOP_BY_HOP | {b"content-length", b"expect"}
"""Compared ``folded``: a server that folds names reads ``Content_Length`` as the length
of the body."""

_PROTOCOL = frozenset({b"x-forwarded-proto", b"forwarded"})
"""Headers in which a gateway states the protocol that its client used."""

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
"""Headers in which many clients send the same few values, none of them a secret."""

known_names: dict[str, tuple[bytes, str, bool]] = {}
"""What ``classify_header`` returned for each name: clients send the same few."""


def classify_header(name: str) -> tuple[bytes, str, bool]:
    """Return a header's name in bytes, its role, and whether its values repeat.

    Raises:
        EventError: the name is not a valid token.
    """
    raw = name.encode()
    if not TOKEN.fullmatch(raw):
        raise EventError(f"invalid header name: {quote(name)}")
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
"""A header's value in an event: text, or a number in an event written by hand."""

Lists = dict[str, list[Scalar] | None]
"""A map of lists of values; a list may be ``null`` in an event written by hand."""

Pairs = Iterable[tuple[str, Scalar]]


def single(values: Mapping[str, Scalar] | None) -> Pairs:
    """Return the pairs of a map of values."""
    return (values or {}).items()


def multiple(
    values: Mapping[str, list[Scalar] | Scalar] | None,
) -> Iterator[tuple[str, Scalar]]:
    """Return the pairs of a map of lists; a bare value counts as a list of one."""
    return (
        (name, value)
        for name, given in (values or {}).items()
        for value in (given if isinstance(given, list) else (given,))
    )


def every(lists: Lists | None, values: Mapping[str, Scalar] | None) -> Pairs:
    """Return the pairs of the map of lists; if it is empty, of the map of values."""
    return multiple(lists) if lists else single(values)


def text(value: Scalar) -> str:
    """Return a value as text, in JSON's spelling."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


_KEPT = re.compile(rb"host|authorization|cookie|forwarded|x-forwarded-.*|x-amzn?-.*")
"""Headers that a client's ``Connection`` may not remove: gateways set them, and
applications trust them."""

_WITH_CONTENT = frozenset({b"POST", b"PUT", b"PATCH"})
"""Methods that expect content: their requests get ``Content-Length: 0`` if empty,
https://www.rfc-editor.org/rfc/rfc9110#section-8.6"""

_known_pairs: dict[tuple[str, Scalar], tuple[Field, str]] = {}
"""Headers, encoded, with their roles."""

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
    """Return the headers of the request to the application, ``Host`` first.

    Names keep their case and headers their order. ``Content-Length`` is recomputed.
    Cookies become one header (https://www.rfc-editor.org/rfc/rfc6265#section-5.4);
    ``cookies``, if any, replace those among ``pairs``. ``https`` adds
    ``X-Forwarded-Proto`` if the gateway sent none, and ``host`` is the ``Host`` of an
    event without one. If Lambda sent a trace ID (``traced``), a client's is dropped.

    Raises:
        EventError: a header would be unsafe to send, or ``Host`` is not unique.
    """
    kept, special = _split_by_role(pairs, _HELD_BACK_TRACE if traced else _HELD_BACK)
    if "connection" in special:
        kept = _without_options(kept, special["connection"])
    # HTTP APIs and function URLs send cookies apart, whatever is among the headers.
    if cookies:
        special["cookie"] = [_encode_value("cookie", "; ".join(cookies))]
    if "cookie" in special:
        kept.append((b"cookie", b"; ".join(special["cookie"])))
    if https and "protocol" not in special:
        kept.append((b"x-forwarded-proto", b"https"))
    # Recomputed from the decoded body: in the event the header may be missing or wrong,
    # and a wrong length would make the next request begin within this one.
    if body or method in _WITH_CONTENT:
        kept.append((b"content-length", b"%d" % len(body)))
    return [(b"host", one_host(special.get("host", ()), host)), *kept, *added]


_HELD_BACK = frozenset({"host", "cookie", "connection", "dropped"})
"""Roles of headers that are not forwarded unchanged."""

_HELD_BACK_TRACE = _HELD_BACK | {"trace"}
"""The same for an invocation with a trace ID from Lambda."""


def _split_by_role(
    pairs: Pairs, held_back: frozenset[str]
) -> tuple[Fields, dict[str, list[bytes]]]:
    """Return the headers to forward, and the values of those that have a role."""
    kept: Fields = []
    special: dict[str, list[bytes]] = {}
    for pair in pairs:
        known = _known_pairs.get(pair)
        if known is None:
            name, value = pair
            raw, role, repeats = known_names.get(name) or classify_header(name)
            field = raw, _encode_value(name, value)
            # The length is checked by ``memoize`` for keys of text, not for pairs.
            if repeats and isinstance(value, str) and len(value) <= MAX_KNOWN_SIZE:
                memoize(_known_pairs, pair, (field, role))
        else:
            field, role = known
        if role:
            special.setdefault(role, []).append(field[1])
            if role in held_back:
                continue
        kept.append(field)
    return kept, special


def _without_options(fields: Fields, values: Sequence[bytes]) -> Fields:
    """Return the headers without those that a client's ``Connection`` removes."""
    options = connection_options([(b"connection", value) for value in values])
    return [
        (name, value)
        for name, value in fields
        if name.lower() not in options or _KEPT.fullmatch(name.lower())
    ]


def _encode_value(name: str, value: Scalar) -> bytes:
    content = value if isinstance(value, str) else text(value)
    # Two methods of ``str`` decide for nearly every value; the pattern is for the rest.
    if content.isascii() and content.isprintable():
        return content.encode()
    # https://www.rfc-editor.org/rfc/rfc9110#section-5.5: in a header's value, CR, LF
    # and NUL are dangerous; other control characters are not.
    if _DANGEROUS.search(content):
        raise EventError(f"the event's header {quote(name)} has a line break or a NUL")
    return content.encode()
