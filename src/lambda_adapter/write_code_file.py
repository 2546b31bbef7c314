"""Write the file that ``code_file`` reads: the pycs of all modules of a start.

``python -IS write_code_file.py SITE_PACKAGES [--with-library]``, run by the Python that
is to use the file. The zipapp may be elsewhere then; the standard library may not.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_adapter.code_file import Modules

HEADER = 16
"""Bytes of a pyc before its code: https://peps.python.org/pep-0552/"""

REFERENCES = 3
"""The first version of marshal's format in which the same values give other bytes."""


def write(site_packages: str, *, with_library: bool) -> None:
    """Import what a start imports, in a process that has imported nothing yet."""
    started = {*sys.modules}
    sys.path.insert(0, site_packages)
    from lambda_adapter import cli
    from lambda_adapter.code_file import path_in

    cli.import_serve()
    modules: Modules = {}
    library: Modules = {}
    for name in sorted(sys.modules.keys() - started):
        # To ask trio's front for an attribute would load all of trio.
        attributes = vars(sys.modules[name])
        spec = attributes.get("__spec__")
        source, cached = (spec.origin or "", spec.cached or "") if spec else ("", "")
        code = _read_code(cached) if source.endswith(".py") else b""
        is_ours = source.startswith(f"{site_packages}/")
        if code and (is_ours or with_library):
            start = f"{site_packages}/"
            (modules if is_ours else library)[name] = (
                source.removeprefix(start),
                cached.removeprefix(start),
                "__path__" in attributes,
                code,
            )
    path = path_in(site_packages)
    values = (MAGIC_NUMBER, sys.version, modules, library)
    with open(f"{path}.new", "wb") as file:
        file.write(marshal.dumps(values, REFERENCES - 1))
    os.replace(f"{path}.new", path)


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
