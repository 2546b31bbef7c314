"""The standard library's modules as the native file has them: smaller, or replaced.

Nothing but the adapter can import them. A small_*.py takes the place of a module; the
rest are the distribution's, less what takes long at each start. What is not as this
expects it ends the build.
"""

import ast
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from encodings.aliases import aliases
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from source_edits import changed, late_imports

HERE = Path(__file__).parent
LIBRARY = Path(sysconfig.get_path("stdlib"))

CHANGES = {
    "socket.py": (
        # Enums of all constants.
        (
            r"import os, sys, io, selectors\nfrom enum .*",
            "import os, sys, io\nimport selectors",
        ),
        (r"Int(Enum|Flag)\._convert_\(\n.*\n.*\n.*\)\n", "pass\n\n\n\n"),
        (r"_intenum_converter\((.+), [A-Z]\w+\)", r"\1"),
    ),
    "logging/__init__.py": (
        (
            "import sys, os, time, io, re, traceback, warnings, ",
            "import traceback\nimport warnings\nimport sys, os, time, io, re, ",
        ),
        # Styles of format strings, but for the one that the adapter uses.
        ("from string import .*\n", "\n"),
        ("_str_formatter = .*\ndel .*\n", "\n\n"),
        (r"class StrFormatStyle\((.|\n)*?(?=BASIC_FORMAT = )", ""),
        ("    '{': .*\n    '\\$': .*\n", ""),
    ),
}
"""Patterns, and what takes the place of all that they match."""

CODECS = {
    *("ascii", "latin_1", "utf_8"),
    # What ``json.detect_encoding`` says of an event that is not in UTF-8.
    *("utf_8_sig", "utf_16", "utf_16_be", "utf_16_le"),
    *("utf_32", "utf_32_be", "utf_32_le"),
}
"""What there is of ``encodings``."""

LATE = {"selectors", "traceback", "warnings"}


def copy_into(directory: Path) -> None:
    """Write the modules into a directory that is searched first."""
    for small in HERE.glob("small_*.py"):
        shutil.copy(small, directory / small.name.removeprefix("small_"))
    shutil.copy(LIBRARY / "enum.py", directory / "full_enum.py")
    shutil.copytree(LIBRARY / "re", directory / "re")
    (directory / "re.py").replace(directory / "re" / "__init__.py")
    write_patterns(directory, {})
    (directory / "encodings").mkdir()
    kept = {name: codec for name, codec in aliases.items() if codec in CODECS}
    (directory / "encodings" / "aliases.py").write_text(f"aliases = {kept!r}\n")
    for name, changes in CHANGES.items():
        source = (LIBRARY / name).read_text("utf-8")
        for pattern, text in changes:
            source, count = re.subn(pattern, text, source)
            if not count:
                raise SystemExit(f"{name} does not have {pattern!r}")
        source = changed(source, late_imports(ast.parse(source), LATE))
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(source, "utf-8")


def write_patterns(
    directory: Path, patterns: Mapping[tuple[str | bytes, int], object]
) -> None:
    """Write compiled regular expressions for small_re.py."""
    rows = sorted(f"    {key!r}: {value!r},\n" for key, value in patterns.items())
    text = f"PATTERNS = {{\n{''.join(rows)}}}\n"
    (directory / "re" / "_compiled.py").write_text(text, "utf-8")


def compile_patterns(
    wanted: Iterable[tuple[str | bytes, int]],
) -> dict[tuple[str | bytes, int], tuple[object, ...]]:
    """Return what the C module is given for each pattern with its flags."""
    import _sre  # type: ignore[import-not-found]
    from array import array
    from re._compiler import compile as make  # type: ignore[import-not-found]

    compiled = {}
    original = _sre.compile

    def note(
        pattern: str | bytes,
        flags: int,
        code: list[int],
        groups: int,
        names: dict[str, int],
        indexes: tuple[str | None, ...],
    ) -> object:
        words = array("I", code).tobytes()
        found.append((flags, words, groups, (*names.items(),), indexes))
        return original(pattern, flags, code, groups, names, indexes)

    found: list[tuple[object, ...]] = []
    _sre.compile = note
    for pattern, flags in wanted:
        make(pattern, flags)
        compiled[pattern, flags] = found.pop()
    _sre.compile = original
    return compiled
