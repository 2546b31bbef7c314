"""Write the file that ``code_file`` reads: the pycs of all modules of a start.

``python -IS write_code_file.py SITE_PACKAGES [--with-library]``, run by the Python that
is to use the file. The zipapp may be elsewhere then; the standard library may not.
"""

from __future__ import annotations

import importlib
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_adapter.code_file import Groups, Modules, Names, Patterns

    Arguments = tuple[str | bytes, int, list[int], int, Groups, Names]

HEADER = 16
"""Bytes of a pyc before its code: https://peps.python.org/pep-0552/"""

IN_PROCESS = (
    *("app.in_process.asgi.app", "app.in_process.asgi.host_asyncio"),
    *("app.in_process.wsgi.app", "bootstrap", "code_entries"),
    *("observe.root_handler", "observe.stdio"),
)
"""What a start with the application in this process imports besides."""

REFERENCES = 3
"""The first version of marshal's format in which the same values give other bytes."""


def write(site_packages: str, *, with_library: bool) -> None:
    """Import what a start imports, in a process that has imported nothing yet."""
    started = {*sys.modules}
    sys.path.insert(0, site_packages)
    from lambda_adapter import cli
    from lambda_adapter.code_file import HEAD, path_in

    compiled = note_patterns()
    cli.import_serve()
    modules, library = _read_modules(site_packages, sys.modules.keys() - started)
    started = {*sys.modules}
    for name in IN_PROCESS:
        importlib.import_module(f"lambda_adapter.{name}")
    in_process, _ = _read_modules(site_packages, sys.modules.keys() - started)
    path = path_in(site_packages)
    of_this_build = (library, find_patterns(compiled)) if with_library else ({}, {})
    parts = [
        marshal.dumps(each, REFERENCES - 1)
        for each in (modules, of_this_build, in_process)
    ]
    sizes = len(parts[0]), len(parts[1])
    head = marshal.dumps((MAGIC_NUMBER, sys.version, *sizes), REFERENCES - 1)
    with open(f"{path}.new", "wb") as file:
        file.write(head.ljust(HEAD, b"\0") + b"".join(parts))
    os.replace(f"{path}.new", path)


def _read_modules(site_packages: str, names: Iterable[str]) -> tuple[Modules, Modules]:
    """Return the code of these modules: of the zipapp's, and of the library's."""
    modules: Modules = {}
    library: Modules = {}
    start = f"{site_packages}/"
    for name in sorted(names):
        # To ask trio's front for an attribute would load all of trio.
        attributes = vars(sys.modules[name])
        spec = attributes.get("__spec__")
        source, cached = (spec.origin or "", spec.cached or "") if spec else ("", "")
        code = _read_code(cached) if source.endswith(".py") else b""
        if code:
            (modules if source.startswith(start) else library)[name] = (
                source.removeprefix(start),
                cached.removeprefix(start),
                "__path__" in attributes,
                code,
            )
    return modules, library


def note_patterns() -> list[Arguments]:
    """Return a list that grows with each regular expression that is compiled."""
    import _sre  # type: ignore[import-not-found]

    compiled: list[Arguments] = []
    make = _sre.compile

    def note(*arguments: *Arguments) -> object:
        compiled.append(arguments)
        return make(*arguments)

    _sre.compile = note
    return compiled


def find_patterns(compiled: list[Arguments]) -> Patterns:
    """Return those that ``re`` has kept, and what the C module was given for each."""
    import re
    from array import array

    given = {arguments[:2]: arguments[1:] for arguments in compiled}
    patterns: Patterns = {}
    for (_, pattern, flags), made in vars(re)["_cache"].items():
        all_flags, code, groups, indexes, names = given[pattern, made.flags]
        words = array("I", code).tobytes()
        patterns[pattern, flags] = (all_flags, words, groups, indexes, names)
    return patterns


def _read_code(cached: str) -> bytes:
    """Return what a pyc has behind its header; nothing, if there is none to be used."""
    try:
        with open(cached, "rb") as file:
            data = file.read()
    except OSError:
        return b""
    return data[HEADER:] if data.startswith(MAGIC_NUMBER) else b""


if __name__ == "__main__":
    write(sys.argv[1], with_library="--with-library" in sys.argv[2:])
