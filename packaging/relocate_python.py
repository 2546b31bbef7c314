"""Make /opt/lambda-adapter: the adapter with a Python and a C library of its own.

It runs in an image that has neither, and where others are, it does not meet them: the
interpreter names its own dynamic linker, and finds its libraries by DT_RPATH, which
comes before the LD_LIBRARY_PATH that Lambda sets. Nothing is put into the environment,
so the application does not notice either.

It is not /opt/python, because Lambda's Python runtimes import from there.

The files are only read, never executed: they may be those of another architecture. What
has to run is this Python, and its version must be theirs, because of the bytecode.
"""

import argparse
import compileall
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

PYTHON = "python{}.{}".format(*sys.version_info)
ABI = "cpython-{}{}-".format(*sys.version_info)

# The adapter imports none of these, nor does what it imports. Of the standard library
# this is half; the rest stays, for what is imported late is not seen by trying.
MODULES_DROPPED = {
    *("__phello__", "antigravity", "cProfile", "curses", "dbm", "distutils", "doctest"),
    *(
        "ensurepip",
        "idlelib",
        "lib2to3",
        "mailbox",
        "pdb",
        "profile",
        "pstats",
        "pydoc",
    ),
    *("pydoc_data", "sqlite3", "test", "this", "tkinter", "turtle", "turtledemo"),
    *("unittest", "venv", "wsgiref", "xmlrpc", "site-packages", "dist-packages"),
    *("_pyrepl", "__pycache__", "EXTERNALLY-MANAGED"),
}
EXTENSIONS_DROPPED = (
    *("_bz2", "_codecs_", "_crypt", "_ctypes_test", "_curses", "_dbm", "_elementtree"),
    *("_gdbm", "_lzma", "_sqlite3", "_test", "_tkinter", "_xx", "_zstd", "audioop"),
    *("nis", "ossaudiodev", "pyexpat", "readline", "xx"),
)

BOOTSTRAP = """\
#!{python} -IS
import sys
sys.path.insert(0, "{site_packages}")
from lambda_adapter.cli import main
sys.exit(main())
"""


def main() -> None:
    """Assemble the directory that the command line names, and what starts it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="an image with Python, as a directory")
    parser.add_argument("site_packages", type=Path, help="the adapter, unpacked")
    parser.add_argument("output", type=Path, help="where it will be, and is put")
    arguments = parser.parse_args()
    root: Path = arguments.root
    output: Path = arguments.output
    interpreter = find_interpreter(root)

    bin_, lib = output / "bin", output / "lib"
    stdlib, site_packages = lib / PYTHON, output / "site-packages"
    bin_.mkdir(parents=True)
    python = bin_ / "python3"
    shutil.copy(interpreter, python)
    copy_stdlib(interpreter.parent.parent / "lib" / PYTHON, stdlib)
    copy_site_packages(arguments.site_packages, site_packages)
    extensions = [*stdlib.rglob("*.so"), *site_packages.rglob("*.so")]
    check_machine([python, *extensions])
    linker = copy_libraries(root, [python, *extensions], lib)
    patchelf("--force-rpath", "--set-rpath", lib, python)
    patchelf("--set-interpreter", lib / linker, python)

    bootstrap = output / "bootstrap"
    bootstrap.write_text(BOOTSTRAP.format(python=python, site_packages=site_packages))
    bootstrap.chmod(0o755)


def find_interpreter(root: Path) -> Path:
    """Find the image's Python, which must be of this one's version.

    Raises:
        SystemExit: There is none.
    """
    for prefix in "usr/local", "usr":
        path = root / prefix / "bin" / PYTHON
        if path.is_file():
            return path
    raise SystemExit(f"{root} has no {PYTHON}, and this is {PYTHON}")


def copy_stdlib(source: Path, target: Path) -> None:
    """Copy the standard library as bytecode, without the sources: half the size."""
    for path in sorted(source.iterdir()):
        if path.stem in MODULES_DROPPED or path.name.startswith("config-"):
            continue
        if path.is_dir() and path.name != "lib-dynload":
            shutil.copytree(path, target / path.name, ignore=only_python)
        elif path.suffix == ".py":
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    compileall.compile_dir(
        target,
        quiet=1,
        legacy=True,  # beside the source, where a module is found without it
        stripdir=target,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,  # no time in it
    )
    for path in target.rglob("*.py"):
        path.unlink()

    dynload = target / "lib-dynload"  # Python looks for it even if it is empty
    dynload.mkdir()
    for path in sorted((source / "lib-dynload").glob("*.so")):
        if not path.name.startswith(EXTENSIONS_DROPPED):
            shutil.copy(path, dynload)


def only_python(directory: str, names: list[str]) -> Iterator[str]:
    """Name what is neither a module nor a package, nor needed of them."""
    for name in names:
        path = Path(directory, name)
        if name in MODULES_DROPPED or (path.is_file() and path.suffix != ".py"):
            yield name


def copy_site_packages(source: Path, target: Path) -> None:
    """Copy the adapter and what it needs, without other Pythons' extension modules."""
    shutil.copytree(source, target)
    for path in target.rglob("*.so"):
        if ABI not in path.name:
            path.unlink()


def copy_libraries(root: Path, users: Iterable[Path], target: Path) -> str:
    """Copy the libraries that these need, and those that they need in turn.

    Returns:
        The name of the dynamic linker, which is one of them.

    Raises:
        SystemExit: The image has no such library.
    """
    found: set[str] = set()
    queue = list(users)
    while queue:
        for name in dynamic(queue.pop(), "DT_NEEDED"):
            if name in found:
                continue
            found.add(name)
            library = target / name
            shutil.copy(find_library(root, name), library)
            library.chmod(0o755)
            # It would hide the interpreter's DT_RPATH.
            if dynamic(library, "DT_RUNPATH"):
                patchelf("--remove-rpath", library)
            queue.append(library)
    (linker,) = (name for name in found if name.startswith("ld-linux"))
    return linker


def check_machine(files: Iterable[Path]) -> None:
    """Check that all of them are of one architecture.

    Raises:
        SystemExit: The image's Python is of one, and the adapter of another.
    """
    names = {}
    for file in files:
        with file.open("rb") as stream:
            names[ELFFile(stream)["e_machine"]] = file
    if len(names) != 1:
        examples = " and ".join(map(str, names.values()))
        raise SystemExit(f"these are of different architectures: {examples}")


def dynamic(library: Path, tag: str) -> list[str]:
    """Read the strings of this tag in the dynamic segment of an ELF file.

    Patchelf can do it too, but not where the section headers are stripped, as in the
    adapter's extension modules. https://gabi.xinuos.com/elf/08-dynamic.html
    """
    with library.open("rb") as stream:
        for segment in ELFFile(stream).iter_segments():
            if isinstance(segment, DynamicSegment):
                attribute = tag.removeprefix("DT_").lower()
                return [getattr(each, attribute) for each in segment.iter_tags(tag)]
    return []


def find_library(root: Path, name: str) -> Path:
    """Find a shared library where images have them.

    Raises:
        SystemExit: It is not there.
    """
    for pattern in "usr/local/lib", "usr/lib/*-linux-gnu", "lib/*-linux-gnu", "lib*":
        for directory in root.glob(pattern):
            if (directory / name).exists():
                return directory / name
    raise SystemExit(f"{root} has no {name}")


def patchelf(*arguments: str | Path) -> None:
    """Run patchelf, which the Dockerfile has installed."""
    subprocess.run(["patchelf", *arguments], check=True)  # noqa: S603, S607


if __name__ == "__main__":
    main()
