"""The bytecode of all modules of a start in one file, in place of one for each.

A start imports 160 modules. Finding each on the disk, and opening its pyc, takes a
twelfth of the instructions of a start, and an image that is fetched lazily is waited
for at each file. So once the zipapp is unpacked and compiled for good,
``write_code_file`` copies what the pycs have into one file, and ``use`` imports from
it. The zipapp's modules are for the magic number that they were compiled for, as pycs
are, and the standard library's for this very build of Python, as are the regular
expressions that a start compiles:
https://docs.python.org/3/library/importlib.html#importlib.util.MAGIC_NUMBER
https://docs.python.org/3/library/sys.html#sys.version

Sources and pycs stay, for tracebacks, and for what the file does not have. Only an
isolated Python takes the standard library from the file: where the application is in
the adapter's process, its own packages come first, and ``code_entries`` sees to that.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec  # as importlib.machinery, which is not loaded
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    Modules = dict[str, tuple[str, str, bool, bytes]]
    """Of each: source, pyc, whether it is a package, and its code as marshal has it."""
    Groups = dict[str, int]
    Names = tuple[str | None, ...]
    Patterns = dict[tuple[str | bytes, int], tuple[int, bytes, int, Groups, Names]]
    """Of each, with its flags: what ``_sre`` is given for it, the code as bytes."""

    Head = tuple[bytes, str, int, int]
    """Magic number, version of Python, and sizes of the first two parts."""

HEAD = 512
"""Bytes of the file before its three parts: the zipapp's modules, the standard
library's, and what is imported besides if the application is in this process. Each
start reads two of them."""

reason = ""
"""Why the file is not used, where it might be."""


def path_in(site_packages: str) -> str:
    """Return where the file for this Python is."""
    return f"{site_packages}/lambda_adapter/{sys.implementation.cache_tag}.code"


def use(site_packages: str) -> None:
    """Import from the file, if it is there and for this Python."""
    global reason
    path = path_in(site_packages)
    try:
        modules, patterns = _read(path)
    except (OSError, EOFError, TypeError, ValueError) as error:
        reason = f"each module is imported from its own file: {path}: {error}"
        return
    if sys.flags.isolated:
        # After built-in and frozen modules, and before those on the path.
        sys.meta_path.insert(2, CodeFile(site_packages, modules, patterns))
    else:
        from lambda_adapter import code_entries

        code_entries.add(site_packages, modules)


def _read(path: str) -> tuple[Modules, Patterns]:
    """Return what a start of this Python imports: the zipapp's, and what it may add.

    And the regular expressions that it compiles, if they are from this build of Python.

    Raises:
        OSError: there is no such file.
        EOFError, TypeError, ValueError: it is damaged, or for another Python.
    """
    with open(path, "rb", buffering=0) as file:
        head: Head = marshal.loads(file.read(HEAD))  # noqa: S302 - as trusted as a pyc
        magic, version, size, library_size = head
        if magic != MAGIC_NUMBER:
            raise ValueError("it is for another Python")
        modules: Modules = marshal.loads(file.read(size))  # noqa: S302
        besides: Modules = {}
        patterns: Patterns = {}
        if not sys.flags.isolated:
            file.seek(library_size, os.SEEK_CUR)
            besides = marshal.loads(file.read())  # noqa: S302
        elif version == sys.version:
            besides, patterns = marshal.loads(file.read(library_size))  # noqa: S302
        return modules | besides, patterns


class CodeFile:
    """Finds and loads the modules of the file, each once."""

    def __init__(
        self, site_packages: str, modules: Modules, patterns: Patterns
    ) -> None:
        self._site_packages = site_packages
        self._modules = modules
        self._patterns = patterns

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Return the spec of a module, as if it were imported from its own file."""
        found = self._modules.get(name)
        if found is None:
            return None
        source, cached, is_package, _ = found
        origin = self._absolute(source)
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        spec.cached = self._absolute(cached)
        if is_package:
            spec.submodule_search_locations = [origin.rpartition("/")[0]]
        return spec

    def _absolute(self, path: str) -> str:
        return path if path[0] == "/" else f"{self._site_packages}/{path}"

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        *_, code = self._modules[module.__name__]
        exec(marshal.loads(code), vars(module))  # noqa: S102, S302 - as trusted as a pyc
        if module.__name__ == "re":
            self._fill(vars(module).get("_cache"))

    def _fill(self, cache: object) -> None:
        """Put the regular expressions where ``re`` has those that it has compiled."""
        import _sre  # type: ignore[import-not-found]

        if not isinstance(cache, dict):
            return
        for (pattern, flags), (given, code, *rest) in self._patterns.items():
            words = memoryview(code).cast("I").tolist()
            key = type(pattern), pattern, flags
            cache[key] = _sre.compile(pattern, given, words, *rest)
