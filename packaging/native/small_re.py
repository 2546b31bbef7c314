"""This module, with the patterns of a start compiled when the native file is built.

``freeze.py`` writes them into ``re._compiled``. Others are compiled as always, by the
standard library's own ``re._compiler``. Flags are numbers, and no enum.
"""

from __future__ import annotations

import _sre  # type: ignore[import-not-found]
from re._compiled import PATTERNS  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Match, Pattern
    from typing import Any, AnyStr

    Given = str | bytes | Pattern[Any]

NOFLAG = 0
I = IGNORECASE = 2  # noqa: E741 - its name
L = LOCALE = 4
M = MULTILINE = 8
S = DOTALL = 16
U = UNICODE = 32
X = VERBOSE = 64
A = ASCII = 256

SPECIAL = {each: "\\" + chr(each) for each in b"()[]{}?*+-|^$\\.&~# \t\n\r\v\f"}

_cache: dict[object, Pattern[Any]] = {}


def compile(pattern: Given, flags: int = 0) -> Pattern[Any]:  # noqa: A001 - its name
    """Compile a pattern, or take the one that was compiled before."""
    if not isinstance(pattern, (str, bytes)):
        return pattern  # one that is compiled already
    key = pattern, flags
    if key not in _cache:
        _cache[key] = _compile(pattern, flags)
    return _cache[key]


def _compile(pattern: str | bytes, flags: int) -> Pattern[Any]:
    try:
        flags, code, groups, names, indexes = PATTERNS[pattern, flags]
    except KeyError:
        from re._compiler import compile as make  # type: ignore[import-not-found]

        return make(pattern, flags)  # type: ignore[no-any-return]
    words = memoryview(code).cast("I").tolist()
    given = pattern, flags, words, groups, dict(names), indexes
    return _sre.compile(*given)  # type: ignore[no-any-return]


def match(pattern: Given, string: AnyStr, flags: int = 0) -> Match[AnyStr] | None:
    """Match the beginning of a string."""
    return compile(pattern, flags).match(string)


def fullmatch(pattern: Given, string: AnyStr, flags: int = 0) -> Match[AnyStr] | None:
    """Match all of a string."""
    return compile(pattern, flags).fullmatch(string)


def search(pattern: Given, string: AnyStr, flags: int = 0) -> Match[AnyStr] | None:
    """Find the first match in a string."""
    return compile(pattern, flags).search(string)


def sub(
    pattern: Given, repl: AnyStr, string: AnyStr, count: int = 0, flags: int = 0
) -> AnyStr:
    """Replace matches."""
    return compile(pattern, flags).sub(repl, string, count)


def split(
    pattern: Given, string: AnyStr, maxsplit: int = 0, flags: int = 0
) -> list[AnyStr]:
    """Split a string at matches."""
    return compile(pattern, flags).split(string, maxsplit)


def findall(pattern: Given, string: AnyStr, flags: int = 0) -> list[AnyStr]:
    """Return all matches."""
    return compile(pattern, flags).findall(string)


def finditer(pattern: Given, string: AnyStr, flags: int = 0) -> Iterator[Match[AnyStr]]:
    """Iterate over all matches."""
    return compile(pattern, flags).finditer(string)


def escape(pattern: AnyStr) -> AnyStr:
    """Escape what has a meaning in patterns."""
    if isinstance(pattern, str):
        return pattern.translate(SPECIAL)
    return pattern.decode("latin1").translate(SPECIAL).encode("latin1")


def _expand(pattern: object, match: object, template: object) -> object:
    """Do what the method of a match calls this for."""
    from re._parser import (  # type: ignore[import-not-found]
        expand_template,
        parse_template,
    )

    return expand_template(parse_template(template, pattern), match)


def _subx(pattern: object, template: object) -> object:
    """Do what the method of a pattern calls this for."""
    return lambda match: _expand(pattern, match, template)


def __getattr__(name: str) -> object:
    if name == "error":
        from re._constants import error  # type: ignore[import-not-found]

        return error
    if name == "Pattern":
        return type(compile(""))
    if name == "Match":
        return type(match("", ""))
    raise AttributeError(name)
