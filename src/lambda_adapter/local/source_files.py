"""Decide which files ``--reload`` watches: the sources of the application.

An application also writes into its folder: databases, logs, caches. So only files of
its language count, and none that git ignores.
"""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from lambda_adapter.local.gitignore import Pattern, is_ignored, parse_gitignore

_MARKUP = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".yaml", ".yml", ".toml")
"""Templates and settings, which every language has."""

_PYTHON = (".py", ".pyi", ".mako")
_NODE = (
    *(".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte"),
    *(".ejs", ".hbs", ".pug", ".graphql"),
)
_GO = (".go", ".tmpl", ".mod")
_JAVA = (".java", ".kt", ".kts", ".scala", ".groovy", ".properties", ".xml", ".class")
_PHP = (".php", ".phtml", ".twig", ".ini")
_RUBY = (".rb", ".ru", ".erb", ".haml", ".slim")
_OTHERS = (".rs", ".c", ".h", ".cc", ".cpp", ".cs", ".ex", ".exs", ".lua", ".pl", ".sh")

_LANGUAGES = {
    **dict.fromkeys(
        (
            *("python", "uvicorn", "gunicorn", "hypercorn", "waitress-serve", "flask"),
            *("fastapi", "granian", "daphne", "uwsgi", "uv", "poetry", "pdm"),
        ),
        _PYTHON,
    ),
    **dict.fromkeys(
        (
            *("node", "npm", "npx", "yarn", "pnpm", "bun", "deno", "tsx", "ts-node"),
            *("next", "nest"),
        ),
        _NODE,
    ),
    "go": _GO,
    **dict.fromkeys(("java", "mvn", "gradle", "kotlin"), _JAVA),
    **dict.fromkeys(("php", "php-fpm", "frankenphp"), _PHP),
    **dict.fromkeys(("ruby", "bundle", "puma", "rackup", "rails"), _RUBY),
}
"""Suffixes of the sources that programs run, by program."""

_ALL = (*_PYTHON, *_NODE, *_GO, *_JAVA, *_PHP, *_RUBY, *_OTHERS)

_NEVER = frozenset(
    {"node_modules", "__pycache__", "site-packages", "cdk.out", "htmlcov"}
)
"""Generated folders; hidden ones are excluded as well."""

_BUILT = frozenset({"build", "dist", "target"})
"""Generated folders, unless they are Python packages."""


class SourceFiles(msgspec.Struct, frozen=True):
    """The watched files below ``top``."""

    top: str
    suffixes: tuple[str, ...]
    named: frozenset[str] = frozenset()
    """Files that the command names, as absolute paths."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __contains__(self, path: str) -> bool:
        """Return whether a change of this file (an absolute path) restarts."""
        below = os.path.relpath(path, self.top).replace(os.sep, "/")
        if _matches(below, self.exclude):
            return False
        if path in self.named or _matches(below, self.include):
            return True
        if not below.endswith(self.suffixes) or _is_hidden(below):
            return False
        return not self._is_made(below) and not self._is_ignored(below)

    def find(self) -> Iterator[str]:
        """Yield all watched files that exist."""
        for folder, folders, files in os.walk(self.top):
            folders[:] = [each for each in folders if _is_written(folder, each)]
            paths = (os.path.join(folder, file) for file in files)
            yield from (path for path in paths if path in self)

    def _is_made(self, below: str) -> bool:
        parts = below.split("/")[:-1]
        for count, part in enumerate(parts, 1):
            folder = os.path.join(self.top, *parts[:count])
            if part in _NEVER or os.path.exists(os.path.join(folder, "pyvenv.cfg")):
                return True
            is_package = os.path.exists(os.path.join(folder, "__init__.py"))
            if part in _BUILT and not is_package:
                return True
        return False

    def _is_ignored(self, below: str) -> bool:
        """Return whether git ignores a file, by every ``.gitignore`` above it."""
        root = _git_root(self.top)
        path = os.path.relpath(os.path.join(self.top, below), root).replace(os.sep, "/")
        if path.startswith("../"):
            return False
        folders = path.split("/")[:-1]
        above = ["/".join(folders[:count]) for count in range(len(folders) + 1)]
        exclude = os.path.join(root, ".git", "info", "exclude")
        files = [("", _patterns(exclude))]
        files += [(f, _patterns(os.path.join(root, f, ".gitignore"))) for f in above]
        return is_ignored(path, files, is_folder=False)


def sources_of(
    command: Sequence[str], top: str, include: Sequence[str], exclude: Sequence[str]
) -> SourceFiles:
    """Return the sources of the application that a command starts.

    Without a command, it is a Python application in the adapter's process.
    """
    program = (
        os.path.basename(command[0]).rstrip("0123456789.") if command else "python"
    )
    suffixes = _LANGUAGES.get(program, _ALL)
    paths = (os.path.join(top, word) for word in command)
    named = frozenset(os.path.normpath(path) for path in paths if os.path.isfile(path))
    return SourceFiles(
        top, (*suffixes, *_MARKUP), named, tuple(include), tuple(exclude)
    )


def _matches(below: str, patterns: Sequence[str]) -> bool:
    """Return whether a pattern matches the name, the path or a parent folder."""
    parts = below.split("/")
    paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(
        fnmatchcase(candidate, pattern.removeprefix("./").removesuffix("/"))
        for pattern in patterns
        for candidate in (*paths, *parts)
    )


def _is_written(above: str, name: str) -> bool:
    """Return whether a folder may have sources, rather than generated files."""
    is_environment = os.path.exists(os.path.join(above, name, "pyvenv.cfg"))
    return not (name.startswith(".") or name in _NEVER or is_environment)


def _is_hidden(below: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in below.split("/"))


def _git_root(folder: str) -> str:
    """Return the top of the git checkout around a folder, or the folder itself."""
    above = folder
    while not os.path.exists(os.path.join(above, ".git")):
        if above == (above := os.path.dirname(above)):
            return folder
    return above


@lru_cache
def _read_patterns(file: str, _changed: int) -> list[Pattern]:
    with open(file, encoding="utf-8", errors="replace") as opened:
        return parse_gitignore(opened.read())


def _patterns(file: str) -> list[Pattern]:
    try:
        return _read_patterns(file, os.stat(file).st_mtime_ns)
    except OSError:
        return []
