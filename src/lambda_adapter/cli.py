"""The command: ``lambda-adapter COMMAND ARGUMENT...``.

Off Lambda it becomes the command. On Lambda it starts it, and only then imports what
serves it. Loads nothing but builtins and ``os`` until then. Shell.
"""

from __future__ import annotations

import gc
import os
import sys

from lambda_adapter import __version__, launcher
from lambda_adapter.claim import claim
from lambda_adapter.config import Config
from lambda_adapter.errors import ConfigError
from lambda_adapter.settings import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USAGE = """\
usage: lambda-adapter COMMAND [ARGUMENT...]

Run a web application on AWS Lambda without changing its code. Outside Lambda, become
COMMAND. On Lambda, start it and send it each event as an HTTP request.

  lambda-adapter --version    print the version
  lambda-adapter --help       print this
"""

EX_USAGE = 64
"""Exit status of a command or a setting that is wrong: sysexits.h."""


def main(load: Callable[[], None] = lambda: None) -> int:
    """Run the command line, and return its exit status.

    ``load`` is called once the application is started, just before the rest of the
    adapter is imported: there, the zipapp unpacks itself.
    """
    argv = sys.argv[1:]
    environ = os.environ
    if argv[:1] == ["--version"]:
        load()
        print(f"lambda-adapter {__version__}")
        return 0
    if argv[:1] == ["--help"]:
        print(USAGE, end="")
        return 0
    if environ.get(RUNTIME_API):
        return _serve(_wrapped(environ) or argv, environ, load)
    return _become(argv, environ)


def _become(argv: list[str], environ: Mapping[str, str]) -> int:
    if not argv:
        print(USAGE, end="", file=sys.stderr)
        return EX_USAGE
    try:
        launcher.become(argv, environ)
    except OSError as error:
        code = error.errno or 0
        _complain(launcher.describe_start_error(argv[0], code))
        # https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
        return 127 if isinstance(error, FileNotFoundError) else 126


def _serve(
    argv: list[str], environ: Mapping[str, str], load: Callable[[], None]
) -> int:
    """Start the application, unless Lambda does so itself, and serve it."""
    try:
        config = Config(environ)
    except ConfigError as error:
        _complain(str(error))
        return EX_USAGE
    if argv:
        claim()
    child = launcher.start(argv, environ) if argv else None
    gc.disable()  # what is imported is no garbage; to find that out takes 9 ms
    load()
    from lambda_adapter import supervisor

    gc.freeze()
    gc.enable()
    return supervisor.run(config, child, environ)


def _wrapped(environ: Mapping[str, str]) -> list[str]:
    """Return the application of a managed runtime whose wrapper script this is.

    There the handler is the name of a program in the function's package, and what
    Lambda would have run instead is ignored:
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    """
    wrapper = environ.get("AWS_LAMBDA_EXEC_WRAPPER", "")
    try:
        is_this = os.path.samefile(wrapper, sys.argv[0])
    except OSError:
        return []
    root = environ.get("LAMBDA_TASK_ROOT", "/var/task")
    return [os.path.join(root, environ.get("_HANDLER", ""))] if is_this else []


def _complain(message: str) -> None:
    print(f"lambda-adapter: {message}", file=sys.stderr)
