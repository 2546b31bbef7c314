"""Suggest what was meant by a command or an application that does not exist."""

import errno
import os
import re
import shlex

from lambda_adapter.startup_failure import describe_start_error

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


def advise_on_command(name: str, cwd: str | None) -> str:
    """Return why a command can't be started, and what was probably meant."""
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
    code = errno.EACCES if os.path.isfile(path) else errno.ENOENT
    return describe_start_error(name, code)


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
    return (
        f"{option} {name}: an application is module:attribute; did you mean"
        f" {option} {plain_application(name)}?"
    )
