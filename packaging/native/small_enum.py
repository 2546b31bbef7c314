"""Enums as trio's core and the adapter define them, without the rest of this module.

Other names are the standard library's own: full_enum is its module, which takes 5 M
instructions to import.
"""

from __future__ import annotations


class EnumMeta(type):
    """The class of enums."""

    _members: dict[str, Enum]

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]
    ) -> EnumMeta:
        """Make an enum of numbers, and of nothing else."""
        if bases and bases != (Enum,):
            raise TypeError(f"{name} is more than this makes")
        values = {
            each: value
            for each, value in namespace.items()
            if not each.startswith("_") and not hasattr(value, "__get__")
        }
        rest = {each: namespace[each] for each in namespace if each not in values}
        made = super().__new__(cls, name, bases, rest)
        made._members = {}
        for each, value in values.items():
            member: Enum = object.__new__(made)  # type: ignore[arg-type]
            member.name = each
            member.value = value
            made._members[each] = member
            setattr(made, each, member)
        return made

    def __call__(cls, value: object) -> Enum:
        """Return the member with a value.

        Raises:
            ValueError: there is none.
        """
        for member in cls:
            if member.value == value:
                return member
        raise ValueError(f"{value!r} is not a valid {cls.__qualname__}")

    def __iter__(cls) -> Iterator[Enum]:
        """Iterate over the members."""
        return iter(cls._members.values())


class Enum(metaclass=EnumMeta):
    """The base of enums."""

    name: str
    value: object

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__}.{self.name}: {self.value!r}>"

    def __str__(self) -> str:
        return f"{type(self).__qualname__}.{self.name}"


EnumType = EnumMeta


def __getattr__(name: str) -> object:
    import full_enum  # type: ignore[import-not-found]

    return getattr(full_enum, name)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
