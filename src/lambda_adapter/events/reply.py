"""Headers and cookies as replies spell them, and the limits that replies have."""

import functools
import itertools
from collections.abc import Sequence

from lambda_adapter.errors import ResponseTooLargeError
from lambda_adapter.events.event import Event
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import (
    HOP_BY_HOP,
    Fields,
    Response,
    decoded,
    end_to_end,
)

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


COOKIE, CONNECTION, DROPPED = "cookie", "connection", "dropped"

_PLAIN_OPTIONS = frozenset({b"close", b"keep-alive"})
"""Values of ``Connection`` that name no other field."""

_known: dict[bytes, tuple[str, str]] = {}
"""Names of fields as text, and their roles, which are mostly none."""


def split(fields: Fields) -> tuple[dict[str, str], list[str]]:
    """Return one value a name, duplicates joined by commas, and every cookie.

    Cookies alone can't be joined: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    if plain := _split_plain(fields):
        return plain
    values = _listed(fields)
    cookies = [
        cookie
        for name in [name for name in values if name.lower() == "set-cookie"]
        for cookie in values.pop(name)
    ]
    return {name: ", ".join(each) for name, each in values.items()}, cookies


def listed(fields: Fields) -> dict[str, list[str]]:
    """Return every value of a name, under its first spelling."""
    plain = _split_plain(fields)
    if plain and not plain[1]:
        return {name: [value] for name, value in plain[0].items()}
    return _listed(fields)


def single_valued(fields: Fields) -> dict[str, str]:
    """Return one value a name, cookies included: the map has room for no more."""
    values, cookies = split(fields)
    return values | spelled_cookies(cookies) if cookies else values


def spelled_cookies(cookies: Sequence[str]) -> dict[str, str]:
    """Return one cookie a name, each ``Set-Cookie`` in capitals of its own.

    The only way for several cookies through a map of single values. Nine letters have
    512 spellings, and there are no more cookies than that.
    """
    return dict(zip(_spellings(), cookies, strict=False))


def _split_plain(fields: Fields) -> tuple[dict[str, str], list[str]] | None:
    """Split fields in one pass; None if that takes a closer look, which few do.

    That is for a name which comes twice, in whatever case, for values that are not in
    UTF-8, and for ``Connection`` if it names other fields.
    """
    values: dict[str, str] = {}
    cookies: list[str] = []
    try:
        for name, value in fields:
            text, role = _known.get(name) or _recognise(name)
            if not role:
                if text in values:
                    return None
                values[text] = value.decode()
            elif role is COOKIE:
                cookies.append(value.decode())
            elif role is CONNECTION and value.lower() not in _PLAIN_OPTIONS:
                return None
    except UnicodeDecodeError:
        return None
    if len(set(map(str.lower, values))) < len(values):
        return None
    return values, cookies


def _recognise(name: bytes) -> tuple[str, str]:
    lower = name.lower()
    role = DROPPED if lower in HOP_BY_HOP else ""
    if lower == b"set-cookie":
        role = COOKIE
    elif lower == b"connection":
        role = CONNECTION
    return memoize(_known, name, (name.decode(), role))


def _listed(fields: Fields) -> dict[str, list[str]]:
    spelling: dict[bytes, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in end_to_end(fields):
        first = spelling.setdefault(name.lower(), name.decode())
        values.setdefault(first, []).append(decoded(value))
    return values


@functools.cache
def _spellings() -> Sequence[str]:
    pairs = (dict.fromkeys((letter, letter.upper())) for letter in "set-cookie")
    return ["".join(letters) for letters in itertools.product(*pairs)]
