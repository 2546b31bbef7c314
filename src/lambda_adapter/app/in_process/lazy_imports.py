"""Lazy imports, which Python 3.15 has.

https://peps.python.org/pep-0810/

A module that an application imports at the top of a file is then loaded when one of its
names is first used, and not at all if none is. A filter decides it for each import that
may be lazy; imports within functions, ``try`` and ``with`` never are. The adapter's own
imports stay as they are: they are done by now, or are needed immediately.
"""

import sys
from collections.abc import Callable

from lambda_adapter.config import INITIALIZED_BEFORE, Config
from lambda_adapter.observe.logs import log

Filter = Callable[[str, str, object], bool]

OURS = frozenset({"lambda_adapter", "trio", "msgspec", "outcome", "sniffio"})
"""The packages that serve the application."""


def make_imports_lazy(config: Config) -> None:
    """Make the following imports lazy, as the setting says; or log why not."""
    if config.lazy_imports == "off":
        return
    is_supported = hasattr(sys, "set_lazy_imports_filter")
    if reason := refusal(config.initialization_type, is_supported=is_supported):
        log.warning("AWS_LWA_LAZY_IMPORTS does nothing here: %s", reason)
        return
    # Typeshed has neither function for the versions that mypy checks.
    vars(sys)["set_lazy_imports_filter"](choose_filter(config.lazy_imports))
    vars(sys)["set_lazy_imports"]("all")


def refusal(initialization_type: str, *, is_supported: bool) -> str:
    """Return why imports can't be made lazy, or ""."""
    if initialization_type in INITIALIZED_BEFORE:
        return f"with {initialization_type}, imports belong into the init"
    if not is_supported:
        version = "{}.{}.{}".format(*sys.version_info)
        return f"it needs Python 3.15, and this is {version}"
    return ""


def choose_filter(setting: str) -> Filter:
    """Return the function that decides whether an import is lazy.

    ``setting`` is ``stdlib`` or ``all``. Python calls the function with the importing
    module's name, the imported one's and the names of a ``from ... import``.
    """
    return _is_lazy_stdlib if setting == "stdlib" else _is_lazy


def _is_lazy_stdlib(importer: str, imported: str, names: object) -> bool:
    is_stdlib = imported.partition(".")[0] in sys.stdlib_module_names
    return is_stdlib and _is_lazy(importer, imported, names)


def _is_lazy(importer: str, imported: str, names: object) -> bool:
    return importer.partition(".")[0] not in OURS
