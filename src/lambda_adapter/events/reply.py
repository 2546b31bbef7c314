"""Convert headers and cookies to the forms of replies, and check a reply's limits."""

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
"""Fraction of a limit from which on a warning is logged."""


def within_limit(kind: type[Event], reply: bytes) -> bytes:
    """Return the reply if its size is within the source's limit.

    Raises:
        ResponseTooLargeError: the reply is larger.
    """
    if len(reply) > kind.max_reply:
        raise ResponseTooLargeError(
            f"the reply is {len(reply):,} bytes long as JSON, over the limit of"
            f" {kind.max_reply:,}"
        )
    return reply


def find_wide_fields(kind: type[Event], response: Response, size: int) -> str | None:
    """Return a warning if the response's headers come close to the gateway's limit.

    ``size`` is the length of the reply, headers included: for a small reply, they need
    not be counted.
    """
    if size < kind.max_fields * NEARLY:
        return None
    fields = sum(len(name) + len(value) for name, value in response.fields)
    if fields < kind.max_fields * NEARLY:
        return None
    return (
        f"the headers of the response take {fields:,} bytes; over"
        f" {kind.max_fields:,}, the gateway responds with 5xx instead"
    )


COOKIE, CONNECTION, DROPPED = "cookie", "connection", "dropped"

_PLAIN_OPTIONS = frozenset({b"close", b"keep-alive"})
"""Values of ``Connection`` that do not name other headers."""

_known: dict[bytes, tuple[str, str]] = {}
"""Header names as text, with their roles; most have none, ``""``."""


def split(fields: Fields) -> tuple[dict[str, str], list[str]]:
    """Return one value per name, duplicates joined by commas, and the list of cookies.

    Only cookies can't be joined: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    if plain := _split_plain(fields):
        return plain
    values = _list_values(fields)
    cookies = [
        cookie
        for name in [name for name in values if name.lower() == "set-cookie"]
        for cookie in values.pop(name)
    ]
    return {name: ", ".join(each) for name, each in values.items()}, cookies


def listed(fields: Fields) -> dict[str, list[str]]:
    """Return all values of each name, under its first spelling."""
    plain = _split_plain(fields)
    if plain and not plain[1]:
        return {name: [value] for name, value in plain[0].items()}
    return _list_values(fields)


def single_valued(fields: Fields) -> dict[str, str]:
    """Return one value per name, cookies included, for replies without lists."""
    values, cookies = split(fields)
    return values | spelled_cookies(cookies) if cookies else values


def spelled_cookies(cookies: Sequence[str]) -> dict[str, str]:
    """Return each cookie under another spelling of ``Set-Cookie``.

    In a map of single values, this is the only way to send several cookies. The nine
    letters have 512 spellings, more than there are cookies in any response.
    """
    return dict(zip(_cookie_spellings(), cookies, strict=False))


def _split_plain(fields: Fields) -> tuple[dict[str, str], list[str]] | None:
    """Split headers in one pass; return None for the few that need a closer look.

    These are headers with a name that occurs twice, in whatever case, with a value that
    is not UTF-8, or with a ``Connection`` that names others.
    """
    values: dict[str, str] = {}
    cookies: list[str] = []
    try:
        for name, value in fields:
            text, role = _known.get(name) or _spell_header(name)
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


def _spell_header(name: bytes) -> tuple[str, str]:
    lower = name.lower()
    role = DROPPED if lower in HOP_BY_HOP else ""
    if lower == b"set-cookie":
        role = COOKIE
    elif lower == b"connection":
        role = CONNECTION
    return memoize(_known, name, (name.decode(), role))


def _list_values(fields: Fields) -> dict[str, list[str]]:
    spelling: dict[bytes, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in end_to_end(fields):
        first = spelling.setdefault(name.lower(), name.decode())
        values.setdefault(first, []).append(decoded(value))
    return values


@functools.cache
def _cookie_spellings() -> Sequence[str]:
    pairs = (dict.fromkeys((letter, letter.upper())) for letter in "set-cookie")
    return ["".join(letters) for letters in itertools.product(*pairs)]
