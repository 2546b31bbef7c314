"""Names and values of fields and parameters, from the maps that events have.

Core: no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

Scalar = str | int | float | bool | None
"""A field's value in an event: text, but events written by hand have numbers."""

Pairs = Iterable[tuple[str, Scalar]]


def single(values: Mapping[str, Scalar] | None) -> Pairs:
    """Return the pairs of a map of values."""
    return (values or {}).items()


def multiple(values: Mapping[str, Sequence[Scalar]]) -> Iterator[tuple[str, Scalar]]:
    """Return the pairs of a map of lists."""
    return ((name, value) for name, each in values.items() for value in each)


def every(
    lists: Mapping[str, Sequence[Scalar]] | None, values: Mapping[str, Scalar] | None
) -> Pairs:
    """Return the pairs of a map of lists; where there is none, of a map of values."""
    return multiple(lists) if lists else single(values)


def text(value: Scalar) -> str:
    """Return a value as text, as JSON spells it."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
