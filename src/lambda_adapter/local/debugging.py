"""Commands with a debugger in them, which waits for its client: ``--debug``."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from lambda_adapter.local.ports import SetupError

START = os.path.join(os.path.dirname(__file__), "debug_start.py")

PYTHON_PORT = 5678
"""debugpy's usual port: https://code.visualstudio.com/docs/python/debugging"""

NODE_PORT = 9229
"""https://nodejs.org/en/learn/getting-started/debugging"""

_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_SHEBANG = re.compile(rb"#!\s*(\S+)(?:[ \t]+(\S+))?")
_EXEC = re.compile(rb"'''exec' \"?([^\"\n]+?)\"? \"\$0\"")
"""What pip writes in place of a #! line that would be too long."""

_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
"""Options of Python's whose value is the next word."""

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
    """Return a command of Python's or of Node.js's with a debugger.

    Raises:
        SetupError: it is neither.
    """
    name, *arguments = command
    program = os.path.basename(name)
    if program in {"node", "nodejs"}:
        return [name, f"--inspect-brk=127.0.0.1:{port or NODE_PORT}", *arguments]
    if _PYTHON.fullmatch(program):
        return _python(name, arguments, port)
    path = shutil.which(name, path=environ.get("PATH")) or name
    interpreter = _interpreter(path)
    if program not in _STARTERS and os.path.basename(interpreter) == "node":
        return debugged([interpreter, path, *arguments], environ, port)
    if _PYTHON.fullmatch(os.path.basename(interpreter)):
        return _python(interpreter, [path, *arguments], port)
    raise SetupError(
        f"--debug knows programs of Python and of Node.js, and {name!r} starts them by"
        " itself: name the command that it runs, such as `node server.js`"
    )


def _python(interpreter: str, arguments: Sequence[str], port: int) -> list[str]:
    """Return a command of Python's, its own options where they were."""
    count = 0
    while count < len(arguments) and arguments[count].startswith("-"):
        if arguments[count] in {"-m", "-c", "-"}:
            break
        count += 2 if arguments[count] in _WITH_VALUE else 1
    options = ["-Xfrozen_modules=off", *arguments[:count]]
    start = [START, str(port or PYTHON_PORT)]
    return [interpreter, *options, *start, *arguments[count:]]


def _interpreter(path: str) -> str:
    """Return the program that a script names, or ""."""
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
