"""The bytecode of all modules of a start in one file, in place of one for each.

A start imports 160 modules. Finding each on the disk, and opening its pyc, takes a
twelfth of the instructions of a start, and an image that is fetched lazily is waited
for at each file. So once the zipapp is unpacked and compiled for good,
``write_code_file`` copies what the pycs have into one file, and ``use`` imports from
it. The zipapp's modules are for the magic number that they were compiled for, as pycs
are, and the standard library's for this very build of Python:
https://docs.python.org/3/library/importlib.html#importlib.util.MAGIC_NUMBER
https://docs.python.org/3/library/sys.html#sys.version

Sources and pycs stay, for tracebacks, and for what the file does not have. Only an
isolated Python uses the file: where the application is in the adapter's process, its
own packages come first.
"""

from __future__ import annotations

import marshal
import sys
from _frozen_importlib import ModuleSpec  # as importlib.machinery, which is not loaded
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    Modules = dict[str, tuple[str, str, bool, bytes]]
    """Of each: source, pyc, whether it is a package, and its code as marshal has it."""

reason = ""
"""Why the file is not used, where it might be."""


def path_in(site_packages: str) -> str:
    """Return where the file for this Python is."""
    return f"{site_packages}/lambda_adapter/{sys.implementation.cache_tag}.code"


def use(site_packages: str) -> None:
    """Import from the file, if it is there and for this Python."""
    global reason
    if not sys.flags.isolated:
        return
    path = path_in(site_packages)
    try:
        with open(path, "rb") as file:
            magic, version, modules, library = marshal.loads(file.read())  # noqa: S302 - as trusted as a pyc
        if magic != MAGIC_NUMBER:
            raise ValueError("it is for another Python")
    except (OSError, EOFError, TypeError, ValueError) as error:
        reason = f"each module is imported from its own file: {path}: {error}"
        return
    if version == sys.version:
        modules |= library
    # After built-in and frozen modules, and before those on the path.
    sys.meta_path.insert(2, CodeFile(site_packages, modules))


class CodeFile:
    """Finds and loads the modules of the file, each once."""

    def __init__(self, site_packages: str, modules: Modules) -> None:
        self._site_packages = site_packages
        self._modules = modules

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
