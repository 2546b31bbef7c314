"""Field lines of a response, into the maps of a reply.

Core: no I/O.
"""

import functools
import itertools
from collections.abc import Sequence

from lambda_adapter.http.messages import Fields, decoded


def joined(fields: Fields) -> dict[str, str]:
    """Return one value a name, duplicates joined by commas.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    values = {name.decode(): decoded(value) for name, value in fields}
    if len({name.lower() for name in values}) == len(
        fields
    ):  # mostly, none is there twice
        return values
    return {name: ", ".join(values) for name, values in listed(fields).items()}


def listed(fields: Fields) -> dict[str, list[str]]:
    """Return every value of a name, under its first spelling."""
    spelling: dict[bytes, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in fields:
        first = spelling.setdefault(name.lower(), name.decode())
        values.setdefault(first, []).append(decoded(value))
    return values


def split_cookies(fields: Fields) -> tuple[Fields, list[str]]:
    """Return the fields without ``Set-Cookie``, and the values of that.

    It alone can't be joined: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    """
    rest = [field for field in fields if field[0].lower() != b"set-cookie"]
    if len(rest) == len(fields):
        return rest, []
    cookies = [
        decoded(value) for name, value in fields if name.lower() == b"set-cookie"
    ]
    return rest, cookies


def single_valued(fields: Fields) -> dict[str, str]:
    """Return one value a name, cookies included: the map has room for no more."""
    rest, cookies = split_cookies(fields)
    return joined(rest) | spelled_cookies(cookies)


def spelled_cookies(cookies: Sequence[str]) -> dict[str, str]:
    """Return one cookie a name, each ``Set-Cookie`` in capitals of its own.

    The only way for several cookies through a map of single values. Nine letters have
    512 spellings, and there are no more cookies than that.
    """
    return dict(zip(_spellings(), cookies, strict=False))


@functools.cache
def _spellings() -> Sequence[str]:
    pairs = (dict.fromkeys((letter, letter.upper())) for letter in "set-cookie")
    return ["".join(letters) for letters in itertools.product(*pairs)]
