"""What attrs gives to the classes that it makes, for those that are written out.

expand_trio.py puts this file beside them.
"""

import threading
from typing import NoReturn


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"

    def __bool__(self) -> bool:
        return False


NOTHING = _Nothing()
repr_context = threading.local()
setattr_of = object.__setattr__.__get__


def frozen_setattr(self: object, name: str, value: object) -> NoReturn:
    """Refuse."""
    from attr.exceptions import FrozenInstanceError

    raise FrozenInstanceError


def frozen_delattr(self: object, name: str) -> NoReturn:
    """Refuse."""
    from attr.exceptions import FrozenInstanceError

    raise FrozenInstanceError


def check_instance(name: str, kind: type, value: object) -> None:
    """Refuse what is no instance, in attrs' own words."""
    if not isinstance(value, kind):
        raise TypeError(
            f"'{name}' must be {kind!r} (got {value!r} that is a {value.__class__!r})."
        )
