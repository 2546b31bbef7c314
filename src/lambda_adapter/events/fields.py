"""Field lines of a request, from an event's maps.

A client can't forge what the adapter adds, can't reach the application's connection
with hop-by-hop fields, and can't end a line. Core: no I/O.
"""

import re
from collections.abc import Sequence

from lambda_adapter.errors import EventError
from lambda_adapter.events.host import one_host
from lambda_adapter.events.names import (
    known_names,
    recognise,
)
from lambda_adapter.events.pairs import Pairs, Scalar, text
from lambda_adapter.http.known import MAX_KNOWN_SIZE, remember
from lambda_adapter.http.messages import (
    Field,
    Fields,
    connection_options,
)
from lambda_adapter.quoting import quoted

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
            raw, role, repeats = known_names.get(name) or recognise(name)
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
            f"the event's header field {quoted(name)} has a line break or a NUL"
        )
    return content.encode()
