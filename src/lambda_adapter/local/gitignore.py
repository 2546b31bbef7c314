"""Match paths against ``.gitignore`` patterns, as git does.

https://git-scm.com/docs/gitignore#_pattern_format
"""

import re
from collections.abc import Sequence

import msgspec


class Pattern(msgspec.Struct, frozen=True):
    """A line of a ``.gitignore``."""

    regex: re.Pattern[str]
    """Matches the path relative to the file's folder, without a trailing slash."""
    only_folders: bool
    ignores: bool
    """Whether a match is ignored; False after a ``!``, which keeps it."""


def parse_gitignore(text: str) -> list[Pattern]:
    """Return the patterns of a ``.gitignore``, in order."""
    return [found for line in text.splitlines() if (found := _parse_pattern(line))]


def is_ignored(
    path: str, files: Sequence[tuple[str, Sequence[Pattern]]], *, is_folder: bool
) -> bool:
    """Return whether a path, or a folder above it, is ignored.

    ``path`` is relative to the top. ``files`` has folders, relative to the top as well,
    with the patterns of their ``.gitignore``; the top comes first.
    """
    parts = path.split("/")
    for length in range(1, len(parts) + 1):
        folder = is_folder or length < len(parts)
        if _is_ignored("/".join(parts[:length]), files, is_folder=folder):
            return True  # git does not look into a folder that is left out
    return False


def _is_ignored(
    path: str, files: Sequence[tuple[str, Sequence[Pattern]]], *, is_folder: bool
) -> bool:
    ignored = False
    for folder, patterns in files:
        below = path.removeprefix(f"{folder}/") if folder else path
        if folder and below == path:
            continue
        for pattern in patterns:
            if pattern.only_folders and not is_folder:
                continue
            if pattern.regex.fullmatch(below):
                ignored = pattern.ignores  # the last one that matches decides
    return ignored


def _parse_pattern(line: str) -> Pattern | None:
    line = re.sub(r"(?<!\\) +$", "", line.rstrip("\r"))
    if not line or line.startswith("#"):
        return None
    ignores = not line.startswith("!")
    line = line if ignores else line[1:]
    only_folders = line.endswith("/")
    line = line.removesuffix("/")
    is_anchored = "/" in line
    if not (line := line.removeprefix("/")):
        return None
    regex = (
        _translate_pattern(line)
        if is_anchored
        else f"(?:.*/)?{_translate_pattern(line)}"
    )
    try:
        return Pattern(re.compile(regex, re.DOTALL), only_folders, ignores)
    except re.error:  # such as [z-a], which matches nothing
        return None


_TOKENS = re.compile(
    r"(?P<start>^\*\*/)|(?P<middle>/\*\*(?=/))|(?P<end>/\*\*$)|(?P<star>\*+)|(?P<one>\?)"
    r"|\[(?P<not>[!^]?)(?P<set>\]?(?:\\.|[^]\\])*)\]|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


def _translate_pattern(pattern: str) -> str:
    """Translate a glob into a regular expression."""
    return "".join(_pattern_token(found) for found in _TOKENS.finditer(pattern))


def _pattern_token(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "start":
            return "(?:.*/)?"
        case "middle":
            return "(?:/.*)?"
        case "end":
            return "/.*"
        case "star":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            inside = found["set"].replace("[", r"\[")
            inside = inside.replace("]", r"\]", 1) if inside[:1] == "]" else inside
            return f"(?!/)[{'^' if found['not'] else ''}{inside}]"
        case _:
            return re.escape(found["escaped"] or found["plain"] or "")
