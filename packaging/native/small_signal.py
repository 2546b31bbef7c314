"""This module with numbers in place of enums, which take 3 M instructions to make.

``Signals`` is made when it is asked for: only the end of a process does so.
"""

from __future__ import annotations

from _signal import *  # type: ignore[import-not-found] # noqa: F403 - as it does

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def __getattr__(name: str) -> object:
    if name != "Signals":
        raise AttributeError(name)
    from enum import IntEnum

    convert: Callable[..., object] = getattr(IntEnum, "_convert_")  # noqa: B009 - private
    return convert(name, __name__, is_signal)


def is_signal(name: str) -> bool:
    """Tell whether a name is a signal's."""
    return name.startswith("SIG") and not name.startswith("SIG_")
