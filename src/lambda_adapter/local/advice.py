"""Suggest what was meant by a command or an application that does not exist."""

import contextlib
import errno
import os
import re
import shlex
from difflib import get_close_matches

from lambda_adapter.startup_failure import COMMANDS_OF_LOCAL, describe_start_error

_APPLICATION = re.compile(r"[\w./-]+:[A-Za-z_][\w.]*(\(\))?")
_INTERPRETERS = {
    ".py": "python",
    ".js": "node",
    ".mjs": "node",
    ".cjs": "node",
    ".ts": "node",
    ".php": "php",
    ".rb": "ruby",
    ".jar": "java -jar",
    ".sh": "sh",
}


def advise_on_command(name: str, cwd: str | None, search: str) -> str:
    """Return why a command can't be started, and what was probably meant.

    ``search`` is the PATH on which it was not found.
    """
    path = os.path.join(cwd or "", name)
    if os.path.isdir(path):
        return f"{name!r} is a directory, and not a command"
    words = name.split()
    if len(words) > 1 and not os.path.isfile(path):
        return (
            f"there is no command {name!r}: with quotes, all of it is one name; leave"
            f" them out: lambda-adapter local -- {name}"
        )
    if os.path.isfile(path) and os.access(path, os.X_OK) and not os.path.dirname(name):
        return f"{name!r} is not on PATH, but in this folder: name it ./{name}"
    if _APPLICATION.fullmatch(name):
        meant = plain_application(name)
        return (
            f"{name!r} is an application, and not a command: name it with"
            f" --asgi {meant} (FastAPI, Starlette) or --wsgi {meant} (Flask, Django)"
        )
    interpreter = _INTERPRETERS.get(os.path.splitext(name)[1])
    if interpreter and os.path.isfile(path):
        return (
            f"{name!r} is a file that can't be executed by itself: run it with"
            f" lambda-adapter local -- {interpreter} {shlex.quote(name)}"
        )
    if os.path.dirname(name) or os.path.isfile(path):
        code = errno.EACCES if os.path.isfile(path) else errno.ENOENT
        return describe_start_error(name, code)
    return f"there is no command {name!r} on PATH{_suggest_command(name, cwd, search)}"


_ENVIRONMENTS = (".venv/bin", "venv/bin", "env/bin", "node_modules/.bin")
"""Where a project's programs are that are not on PATH."""


def _suggest_command(name: str, cwd: str | None, search: str) -> str:
    """Return where a program is, or which one was probably meant."""
    for folder in _ENVIRONMENTS:
        program = f"{folder}/{name}"
        if os.access(os.path.join(cwd or "", program), os.X_OK):
            cure = ", or activate that environment" if "env" in folder else ""
            return f", but it is in {folder}: name it {program}{cure}"
    if near := get_close_matches(name, COMMANDS_OF_LOCAL, 1, 0.75):
        return f"; did you mean lambda-adapter local {near[0]}?"
    if near := get_close_matches(name, _programs(search), 1, 0.75):
        return f"; did you mean {near[0]}?"
    return ": install it, or activate the environment that has it"


def _programs(search: str) -> set[str]:
    """Return the names of all files in the folders of a PATH."""
    found: set[str] = set()
    for folder in search.split(os.pathsep):
        with contextlib.suppress(OSError):
            found.update(os.listdir(folder or "."))
    return found


def plain_application(name: str) -> str:
    """Return ``module:attribute``, also for an application that is given as a path.

    ``main.py:app``, ``./main.py:app`` and ``shop/main.py:app`` are what people type.
    """
    module, _, attribute = name.partition(":")
    module = os.path.normpath(module).removesuffix(".py").strip("/")
    return f"{module.replace('/', '.')}:{attribute or 'app'}"


def advise_on_application(option: str, name: str) -> str:
    """Return what was probably meant by an application; "" if it exists."""
    module = name.partition(":")[0]
    path_like = "/" in module or module.endswith(".py")
    if not path_like and ":" in name and name.partition(":")[2]:
        return ""
    folder, file = os.path.split(os.path.normpath(module))
    meant = f"{option} {plain_application(name)}"
    if folder.startswith(("/", "..")):  # from where nothing can be imported
        attribute = name.removeprefix(module)
        meant = f"--app-dir {folder} {option} {plain_application(file + attribute)}"
    return f"{option} {name}: an application is module:attribute; did you mean {meant}?"
