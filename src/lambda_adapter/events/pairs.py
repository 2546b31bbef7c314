"""Names and values of fields and parameters, from the maps that events have.

Core: no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

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
