"""Compile all modules of the native file, as a table in C and the code beside it.

Run by a Python of the version that is linked in: `freeze.py SITE_PACKAGES DIRECTORY
LINKED_IN...`, which are the C sources and libraries.
Modules are found by importing them; what a function imports only when it is needed is
named here. What the table has is all that can ever be imported, so modules of which the
adapter uses next to nothing are replaced by small ones: small_*.py.
"""

import ast
import marshal
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from library import (
    CODECS,
    compile_patterns,
    copy_into,
    write_patterns,
)  # -I leaves it out
from slim import slim
from unused import drop_unused

HERE = Path(__file__).parent
OURS = "lambda_adapter"
LEFT_OUT = (
    *(f"{OURS}.local", f"{OURS}.app.in_process", f"{OURS}.off_lambda"),
    *(f"{OURS}.__main__", f"{OURS}.given_environ", f"{OURS}.write_code_file"),
)
"""For applications in this process, and what is not for the native file."""

NEEDED_LATE = (
    *(
        "copy",
        "difflib",
        "email.parser",
        "gzip",
        "http",
    ),
    *("http.client", "inspect", "json", "traceback"),
    *("trio.to_thread", "warnings", "zlib"),
    *(f"encodings.{each}" for each in sorted(CODECS)),
)
"""What functions import when they need it."""

ABSENT = {
    # On other systems, in other versions of Python, and where an import is tried.
    *("_json", "_queue", "_threading_local", "_winapi", "annotationlib", "brotli"),
    *("compression", "ctypes", "ctypes.util", "encodings.mbcs", "exceptiongroup"),
    *(
        "msvcrt",
        "nt",
        "org.python.core",
        "ssl",
        "tracemalloc",
        "trio._core._generated_io_kqueue",
    ),
    *("trio._core._generated_io_windows", "trio._core._io_kqueue"),
    *("trio._core._io_windows", "trio.socket", "winreg"),
    # For type checkers.
    *("_typeshed", "trio._file_io", "trio._socket", "typing_extensions"),
    # For a module's own command line and its tests.
    *("argparse", "doctest", "getopt"),
    # Asked for where asyncio or curio runs, for a user or a group of a process, for
    # metadata of packages, for classes of attrs and dataclasses, for names of
    # characters, for texts of mails, for logs through sockets, and by trio.testing.
    *("asyncio", "attr.exceptions", "attrs", "curio.meta", "dataclasses"),
    *("email.generator", "grp", "importlib.metadata", "importlib.readers"),
    *("pickle", "pwd", "sortedcontainers", "unicodedata"),
}
"""What a module of the file imports somewhere, but not as the adapter uses it."""

EMPTIED = ("trio/__init__.py", "trio/lowlevel.py")
"""What `lazy_trio` fills, and whose own code asks for all of trio."""

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
left_out, late = [each.split(",") for each in rest]
sys.modules["ssl"] = None  # its C module is not linked in
import lambda_adapter.cli
lambda_adapter.cli.import_serve()
import importlib, pkgutil, re
for module in pkgutil.walk_packages(lambda_adapter.__path__, "lambda_adapter."):
    if not module.name.startswith(tuple(left_out)):
        importlib.import_module(module.name)
print([*vars(re)["_cache"]])
for name in late:
    importlib.import_module(name)
for name, module in sys.modules.items():
    # To ask trio's front for an attribute would load all of trio.
    path = module and vars(module).get("__file__")
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
    site_packages, output, *linked_in = map(Path, sys.argv[1:])
    blob, rows = b"", []
    modules, its_own = find_modules(site_packages)
    trees = {name: slim(path.read_text("utf-8")) for name, _, path in modules}
    drop_unused(
        trees,
        kept=[name for name in trees if name.startswith(OURS)],
        words={word for path in (*linked_in, *its_own) for word in words_of(path)},
    )
    check_imports(
        trees, packages={name for name, is_package, _ in modules if is_package}
    )
    for name, is_package, _ in modules:
        file = f"<frozen {name}>"
        code = marshal.dumps(compile(trees[name], file, "exec", dont_inherit=True))
        size = len(code)
        rows.append(
            f'{{"{name}", frozen_code + {len(blob)}, {size}, {is_package}, 0}},'
        )
        blob += code
    (output / "frozen.bin").write_bytes(blob)
    (output / "frozen.c").write_text(TABLE.format(rows="\n".join(rows)))
    print(f"{len(rows)} modules, {len(blob):,} bytes of code")


def check_imports(trees: Mapping[str, ast.Module], packages: Collection[str]) -> None:
    """See that what functions import when they need it is there.

    Raises:
        SystemExit: a module is missing that nobody has thought of.
    """
    linked_in = "".join((HERE / each).read_text() for each in ("inittab.c", "main.c"))
    built_in = re.findall(r'(?:M\(|\{"|Inittab\(")([\w.]+)', linked_in)
    there = {*trees, *ITS_OWN, *built_in, *ABSENT}
    missing = [
        f"{name}, line {line}: {each}"
        for name, tree in trees.items()
        for line, each in imports(tree, name, is_package=name in packages)
        if each not in there and not each.startswith(LEFT_OUT)
    ]
    if missing:
        listed = "\n".join(missing)
        raise SystemExit(
            f"what these import is neither NEEDED_LATE nor ABSENT:\n{listed}"
        )


def imports(
    tree: ast.Module, module: str, *, is_package: bool
) -> Iterator[tuple[int, str]]:
    """Yield each import of a module, anywhere in it: its line, and what it imports."""
    parts = module.split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = parts[: len(parts) - node.level + is_package] if node.level else []
            yield node.lineno, ".".join([*start, *filter(None, [node.module])])


def words_of(path: Path) -> set[str]:
    """Return the words in a file, whatever is in it."""
    return {word.decode() for word in re.findall(rb"[A-Za-z_]\w+", path.read_bytes())}


def find_modules(
    site_packages: Path,
) -> tuple[list[tuple[str, int, Path]], list[Path]]:
    """Return the name of each module, whether it is a package, and its file.

    The second list has the files of those that CPython has frozen.
    """
    for module in EMPTIED:
        (site_packages / module).write_text("")
    instead = site_packages / "instead"
    instead.mkdir()
    copy_into(instead)
    named = map(",".join, (LEFT_OUT, NEEDED_LATE))
    arguments = [str(site_packages), str(instead), *named]
    found = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-ISB", "-c", FIND, *arguments], capture_output=True, text=True
    )
    if found.returncode:
        raise SystemExit(found.stderr)
    patterns, *lines = found.stdout.splitlines()
    write_patterns(instead, compile_patterns(ast.literal_eval(patterns)))
    modules = [
        ("lambda_adapter_start", 0, HERE / "start.py"),
    ]
    its_own = []
    for line in lines:
        name, is_package, file = line.split(" ", 2)
        if name.startswith("attr"):  # it takes tables of Unicode, 1 MB
            raise SystemExit(f"{name} would be in the file: see expand_trio.py")
        changed = instead / f"{name.replace('.', '/')}.py"
        if name in ITS_OWN:
            its_own.append(Path(file))
        else:
            path = changed if changed.exists() else Path(file)
            modules.append((name, int(is_package), path))
    about = site_packages / "lambda_adapter_about.py"
    return [*modules, ("lambda_adapter_about", 0, about)], its_own


if __name__ == "__main__":
    main()
