"""Compile all modules of the native file, as a table in C and the code beside it.

Run by a Python of the version that is linked in: `freeze.py SITE_PACKAGES DIRECTORY`.
Modules are found by importing them; what a function imports only when it is needed is
named here. What the table has is all that can ever be imported, so modules of which the
adapter uses next to nothing are replaced by small ones: small_*.py.
"""

import marshal
import shutil
import subprocess
import sys
from pathlib import Path
from types import CodeType

sys.path.append(str(Path(__file__).parent))

from slim import slim  # -I leaves this directory out

HERE = Path(__file__).parent
OURS = "lambda_adapter"
LEFT_OUT = (
    *(f"{OURS}.local", f"{OURS}.app.in_process", f"{OURS}.off_lambda"),
    *(f"{OURS}.__main__", f"{OURS}.given_environ", f"{OURS}.write_code_file"),
)
"""For applications in this process, and what is not for the native file."""

NEEDED_LATE = (
    *(
        "difflib",
        "email.parser",
        "encodings.ascii",
        "encodings.latin_1",
        "gzip",
        "http",
    ),
    *("http.client", "inspect", "json", "traceback"),
    *("trio.to_thread", "warnings", "zlib"),
)
"""What functions import when they need it."""

UNUSED = {
    "msgspec/__init__.py": "from . import inspect, json, msgpack, structs, toml, yaml",
    "msgspec/json.py": "from ._json_schema import schema, schema_components",
}
"""Imports in msgspec of what the adapter does not use."""

USED = {"msgspec/__init__.py": "from . import json, structs", "msgspec/json.py": ""}

ITS_OWN = {
    *("_collections_abc", "_frozen_importlib", "_frozen_importlib_external", "abc"),
    *(
        "_sitebuiltins",
        "codecs",
        "genericpath",
        "importlib.machinery",
        "importlib.util",
    ),
    *(
        "io",
        "ntpath",
        "os",
        "os.path",
        "posixpath",
        "runpy",
        "site",
        "stat",
        "zipimport",
    ),
}
"""Modules that CPython has frozen already."""

FIND = """
import sys
site, instead, *rest = sys.argv[1:]
sys.path[:0] = [instead, site]
import importlib, pkgutil
left_out, late = [each.split(",") for each in rest]
import lambda_adapter.cli
lambda_adapter.cli.import_serve()
for module in pkgutil.walk_packages(lambda_adapter.__path__, "lambda_adapter."):
    if not module.name.startswith(tuple(left_out)):
        importlib.import_module(module.name)
for name in late:
    importlib.import_module(name)
for name, module in sorted(sys.modules.items()):
    path = vars(module).get("__file__")  # to ask trio's front would load all of trio
    if path and path.endswith(".py"):
        print(name, int("__path__" in vars(module)), path)
"""

TABLE = """\
#include <Python.h>

__asm__(".section .rodata\\n"
        ".balign 16\\n"
        "frozen_code: .incbin \\"frozen.bin\\"\\n"
        ".previous\\n");
extern const unsigned char frozen_code[];

struct _frozen frozen_modules[] = {{
{rows}
{{NULL, NULL, 0, 0, NULL}},
}};
"""


def main() -> None:
    """Write frozen.c and frozen.bin."""
    site_packages, output = map(Path, sys.argv[1:])
    blob, rows = b"", []
    for name, is_package, path in find_modules(site_packages):
        code = marshal.dumps(compiled(path.read_text("utf-8"), name))
        size = len(code)
        rows.append(
            f'{{"{name}", frozen_code + {len(blob)}, {size}, {is_package}, 0}},'
        )
        blob += code
    (output / "frozen.bin").write_bytes(blob)
    (output / "frozen.c").write_text(TABLE.format(rows="\n".join(rows)))
    print(f"{len(rows)} modules, {len(blob):,} bytes of code")


def find_modules(site_packages: Path) -> list[tuple[str, int, Path]]:
    """Return the name of each module, whether it is a package, and its file."""
    for module, imports in UNUSED.items():
        path = site_packages / module
        source = path.read_text("utf-8")
        if imports not in source:
            raise SystemExit(f"{module} does not have {imports!r}")
        path.write_text(source.replace(imports, USED[module]), "utf-8")
    instead = site_packages / "instead"
    instead.mkdir()
    for small in HERE.glob("small_*.py"):
        shutil.copy(small, instead / small.name.removeprefix("small_"))
    named = map(",".join, (LEFT_OUT, NEEDED_LATE))
    arguments = [str(site_packages), str(instead), *named]
    found = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-ISB", "-c", FIND, *arguments], capture_output=True, text=True
    )
    if found.returncode:
        raise SystemExit(found.stderr)
    modules = [
        ("lambda_adapter_about", 0, site_packages / "lambda_adapter_about.py"),
        ("lambda_adapter_start", 0, HERE / "start.py"),
    ]
    for line in found.stdout.splitlines():
        name, is_package, file = line.split(" ", 2)
        if name.startswith("attr"):  # it takes tables of Unicode, 1 MB
            raise SystemExit(f"{name} would be in the file: see expand_trio.py")
        if name not in ITS_OWN:
            modules.append((name, int(is_package), Path(file)))
    return sorted(modules)


def compiled(source: str, name: str) -> CodeType:
    """Compile a module, less what nothing reads; its lines keep their numbers."""
    return compile(slim(source), f"<frozen {name}>", "exec", dont_inherit=True)


if __name__ == "__main__":
    main()
