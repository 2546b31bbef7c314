"""Importing trio for less. Shell."""

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType


def import_trio() -> None:
    """Import trio, unless it is imported already, and start no process for that.

    trio asks ``ctypes`` for the function that names a thread, and to find the library
    which has it, ``ctypes.util`` runs ``ldconfig``, and where there is none a compiler:
    https://docs.python.org/3/library/ctypes.html#finding-shared-libraries
    With a stand-in that finds no library, trio leaves its threads without names, as it
    does wherever none can be given.

    Raises:
        ImportError: there is no trio here.
    """
    with _without_ctypes():
        import_module("trio")


@contextlib.contextmanager
def _without_ctypes() -> Iterator[None]:
    """Let whoever imports ``ctypes`` find no library, if nobody has imported it yet."""
    if "ctypes" in sys.modules:
        yield
        return
    ctypes, util = ModuleType("ctypes"), ModuleType("ctypes.util")
    vars(ctypes).update(util=util, CDLL=_load_nothing)
    vars(util).update(find_library=_find_nothing)
    sys.modules.update({"ctypes": ctypes, "ctypes.util": util})
    try:
        yield
    finally:
        del sys.modules["ctypes"], sys.modules["ctypes.util"]


def _find_nothing(_name: str) -> None:
    return None


def _load_nothing(name: str) -> None:
    raise OSError(f"{name} is not loaded")
