"""What the adapter, trio's core and msgspec take of this module, a tenth of a start.

Types are not looked at when the adapter runs, but those of Structs' fields, which are
builtins, msgspec's own, unions of these, and `ClassVar`. So a type's form keeps what
it was given, and everything else is as little as can be.
"""

from __future__ import annotations

import collections
import collections.abc as abc

TYPE_CHECKING = False


class _Form:
    """A form of types, such as `Union`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, arguments: object) -> _GenericAlias:
        return _GenericAlias(self, arguments)

    def __call__(self, *arguments: object, **options: object) -> _Form:
        return self

    def __or__(self, other: object) -> _GenericAlias:
        return _GenericAlias(Union, (self, other))

    def __ror__(self, other: object) -> _GenericAlias:
        return _GenericAlias(Union, (other, self))

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return ()

    def __repr__(self) -> str:
        return f"typing.{self._name}"


class _GenericAlias(_Form):
    """A form with what it was given."""

    def __init__(self, origin: object, arguments: object) -> None:
        super().__init__(repr(origin))
        self.__origin__ = origin
        self.__args__ = arguments if isinstance(arguments, tuple) else (arguments,)
        self.__parameters__ = ()


_AnnotatedAlias = type("_AnnotatedAlias", (), {})
_LiteralGenericAlias = type("_LiteralGenericAlias", (), {})


class TypeVar(_Form):
    """A variable for types."""

    def __init__(self, name: str, *bounds: object, **options: object) -> None:
        super().__init__(name)
        self.__name__ = name


class ParamSpec(TypeVar):
    """A variable for parameters."""

    args = kwargs = None


class TypeVarTuple(TypeVar):
    """A variable for several types."""

    def __iter__(self) -> abc.Iterator[TypeVarTuple]:
        yield self


class Generic:
    """The base of generic classes."""

    __slots__ = ()

    def __class_getitem__(cls, arguments: object) -> type:
        return cls


class Protocol(Generic):
    """The base of protocols."""

    __slots__ = ()


class _NamedTupleMeta(type):
    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]
    ) -> type:
        annotations = namespace.get("__annotations__")
        fields = [*annotations] if isinstance(annotations, dict) else []
        defaults = [namespace[field] for field in fields if field in namespace]
        make: abc.Callable[..., type] = vars(collections)["namedtuple"]
        made = make(name, fields, defaults=defaults, module=namespace["__module__"])
        for key, value in namespace.items():
            if key not in {*fields, "__module__", "__qualname__", "__annotations__"}:
                setattr(made, key, value)
        return made


class _NamedTuple:
    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (_NAMED_TUPLE,)


_NAMED_TUPLE = type.__new__(_NamedTupleMeta, "NamedTuple", (), {})
NamedTuple = _NamedTuple()


class ForwardRef:
    """The source of a type."""

    def __init__(self, source: str, **options: object) -> None:
        self.source = source


def _eval_type(
    value: object, names: dict[str, object], others: dict[str, object]
) -> object:
    if isinstance(value, ForwardRef):
        return eval(value.source, names, others)  # noqa: S307 - our own annotations
    return value


def get_type_hints(value: object, **options: object) -> dict[str, object]:
    """Return nothing: nobody asks."""
    raise NotImplementedError


def get_origin(value: object) -> object:
    """Return what was given arguments."""
    return getattr(value, "__origin__", None)


def get_args(value: object) -> tuple[object, ...]:
    """Return the arguments that it was given."""
    return getattr(value, "__args__", ())


def cast(kind: object, value: object) -> object:
    """Return the value."""
    return value


def final(value: object) -> object:
    """Return it."""
    return value


runtime_checkable = no_type_check = overload = final


def NewType(name: str, kind: object) -> object:  # noqa: N802 - its name
    """Return the type."""
    return kind


Union = _Form("Union")
_FORMS = (
    *("Any", "Annotated", "Callable", "ClassVar", "Concatenate", "Final", "Literal"),
    *("LiteralString", "Never", "NoReturn", "NotRequired", "Optional", "Required"),
    *("Self", "TypeAlias", "TypeGuard", "TypedDict", "Unpack"),
)
globals().update({name: _Form(name) for name in _FORMS})
globals().update(
    {name: getattr(abc, name) for name in abc.__all__ if name not in _FORMS}
)
AbstractSet = abc.Set
ContextManager = AsyncContextManager = Text = object
IO = TextIO = BinaryIO = Generic
List, Dict, Set, FrozenSet, Tuple, Type = list, dict, set, frozenset, tuple, type
Deque, DefaultDict = collections.deque, collections.defaultdict
OrderedDict = collections.OrderedDict
SupportsIndex = SupportsInt = SupportsFloat = Protocol
