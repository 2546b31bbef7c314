"""Commands in which something of ours runs first: ``--debug``, ``--profile-imports``.

That is a debugger, which waits for its client, or what records the imports.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from lambda_adapter.local.ports import SetupError

START = os.path.join(os.path.dirname(__file__), "debug_start.py")
PROFILE_START = os.path.join(os.path.dirname(__file__), "profile_start.py")

PYTHON_PORT = 5678
"""debugpy's default port: https://code.visualstudio.com/docs/python/debugging"""

NODE_PORT = 9229
"""https://nodejs.org/en/learn/getting-started/debugging"""

_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_SHEBANG = re.compile(rb"#!\s*(\S+)(?:[ \t]+(\S+))?")
_EXEC = re.compile(rb"'''exec' \"?([^\"\n]+?)\"? \"\$0\"")
"""What pip writes instead of a #! line that would be too long."""

_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
"""Options of Python whose value is the next word."""

_STARTERS = frozenset({"npm", "npx", "yarn", "pnpm"})


def debugged_adapter(port: int) -> tuple[str, ...]:
    """Return the adapter's command, for an application in its own process.

    Raises:
        SetupError: debugpy is not installed.
    """
    if find_spec("debugpy") is None:
        raise SetupError("--debug needs debugpy: pip install debugpy")
    options = ("-P", "-Xfrozen_modules=off")
    target = ("-m", "lambda_adapter")
    return (sys.executable, *options, START, str(port or PYTHON_PORT), *target)


def debugged(
    command: Sequence[str], environ: Mapping[str, str], port: int
) -> list[str]:
    """Return a Python or Node.js command with a debugger.

    Raises:
        SetupError: the command is neither.
    """
    name, *arguments = command
    program = os.path.basename(name)
    if program in {"node", "nodejs"}:
        return [name, f"--inspect-brk=127.0.0.1:{port or NODE_PORT}", *arguments]
    path, interpreter = _script(name, environ)
    if program not in _STARTERS and os.path.basename(interpreter) == "node":
        return debugged([interpreter, path, *arguments], environ, port)
    start = (START, str(port or PYTHON_PORT))
    if words := _python(command, environ, start, "-Xfrozen_modules=off"):
        return words
    if program in _STARTERS:
        raise SetupError(
            f"--debug knows programs of Python and of Node.js, and {name!r} starts them"
            " by itself: name the command that it runs, such as `node server.js`"
        )
    raise SetupError(
        f"--debug knows programs of Python and of Node.js, and {name!r} is not one:"
        " attach its own debugger, with --timeout 900 and --gateway function-url"
    )


def profiled_adapter(socket: str) -> tuple[str, ...]:
    """Return the adapter's command, for an application in its own process."""
    return (sys.executable, "-P", PROFILE_START, socket, "-m", "lambda_adapter")


def profiled(
    command: Sequence[str], environ: Mapping[str, str], socket: str
) -> list[str]:
    """Return a command of Python's that records its imports.

    Raises:
        SetupError: it is no command of Python's.
    """
    if words := _python(command, environ, (PROFILE_START, socket)):
        return words
    raise SetupError(
        f"--profile-imports knows programs of Python, and {command[0]!r} is not one"
    )


def _python(
    command: Sequence[str],
    environ: Mapping[str, str],
    start: Sequence[str],
    *options: str,
) -> list[str]:
    """Return a command of Python's, its own options where they were; or nothing."""
    interpreter, *arguments = command
    if not _PYTHON.fullmatch(os.path.basename(interpreter)):
        path, interpreter = _script(interpreter, environ)
        if not _PYTHON.fullmatch(os.path.basename(interpreter)):
            return []
        arguments = [path, *arguments]
    count = 0
    while count < len(arguments) and arguments[count].startswith("-"):
        if arguments[count] in {"-m", "-c", "-"}:
            break
        count += 2 if arguments[count] in _WITH_VALUE else 1
    return [
        *(interpreter, *options, *arguments[:count]),
        *(*start, *arguments[count:]),
    ]


def _script(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the path of a program, and the interpreter that it names, or ""."""
    path = shutil.which(name, path=environ.get("PATH")) or name
    return path, _interpreter(path)


def _interpreter(path: str) -> str:
    """Return the interpreter that a script names, or ""."""
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError:
        return ""
    if found := _EXEC.search(head):
        return found[1].decode("utf-8", "replace")
    if not (found := _SHEBANG.match(head)):
        return ""
    first, second = found[1].decode(), (found[2] or b"").decode()
    return second if os.path.basename(first) == "env" else first
