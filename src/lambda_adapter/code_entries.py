"""Import the adapter's packages from the code file, beside an application.

There the application's own packages come first, so that the order of ``sys.path`` has
to stay. What finds modules in a directory of it, a path entry finder, looks into the
file before it looks into the directory:
https://docs.python.org/3/reference/import.html#path-entry-finders
"""

from __future__ import annotations

import marshal
import sys
from _frozen_importlib_external import (  # as importlib.machinery has them
    BYTECODE_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
    spec_from_file_location,
)
from _imp import extension_suffixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from types import CodeType

    from lambda_adapter.code_file import Modules

LOADERS = (
    (ExtensionFileLoader, extension_suffixes()),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
"""Python's own for a directory, in their order."""


def add(site_packages: str, modules: Modules) -> None:
    """Have the file searched where a directory of these packages would be."""
    packages = (source for source, _, is_package, _ in modules.values() if is_package)
    for source in ("/__init__.py", *(f"/{each}" for each in packages)):
        directory = site_packages + source.removesuffix("/__init__.py")
        entry = CodeEntry(directory, site_packages, modules)
        sys.path_importer_cache[directory] = entry


class CodeEntry(FileFinder):
    """Finds modules of one directory: in the file, and else in the directory."""

    def __init__(self, path: str, site_packages: str, modules: Modules) -> None:
        super().__init__(path, *LOADERS)
        self._site_packages = site_packages
        self._modules = modules

    def find_spec(self, fullname: str, target: object = None) -> ModuleSpec | None:
        """Return the spec of a module, as if it were imported from its own file."""
        found = self._modules.get(fullname)
        if found is None:
            return super().find_spec(fullname, target)  # type: ignore[arg-type]
        source, _, is_package, code = found
        path = f"{self._site_packages}/{source}"
        return spec_from_file_location(
            fullname,
            path,
            loader=CodeLoader(fullname, path, code),
            submodule_search_locations=[path.rpartition("/")[0]]
            if is_package
            else None,
        )


class CodeLoader(SourceFileLoader):
    """Loads a module's code without opening its pyc."""

    def __init__(self, fullname: str, path: str, code: bytes) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code."""
        code: CodeType = marshal.loads(self._code)  # noqa: S302 - as trusted as a pyc
        return code
