"""The command: ``lambda-adapter COMMAND ARGUMENT...``.

Off Lambda it becomes the command. On Lambda it starts it, and only then imports what
serves it. Loads nothing but builtins and ``os`` until then. Shell.
"""

from __future__ import annotations

import gc
import os
import sys

from lambda_adapter import __version__, background, launcher
from lambda_adapter.claim import claim
from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, ConfigError, UnsupportedPythonError
from lambda_adapter.settings import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Serve = Callable[[Config, launcher.Child | None], int]

USAGE = """\
usage: lambda-adapter COMMAND [ARGUMENT...]

Run a web application on AWS Lambda without changing its code. Outside Lambda, become
COMMAND. On Lambda, start it and send it each event as an HTTP request.

  lambda-adapter --version    print the version
  lambda-adapter --help, -h   print this
"""

EX_USAGE = 64
"""Exit status of a command, a setting or a Python that is wrong: sysexits.h."""

SUPPORTED = "CPython 3.11 to 3.15 with glibc, on x86-64 or ARM64"
"""What the zipapp and the images have extension modules for."""


def main(load: Callable[[], None] = lambda: None) -> int:
    """Run the command line, and return its exit status.

    ``load`` is called once the application is started, just before the rest of the
    adapter is imported: there, the zipapp unpacks itself.
    """
    argv = sys.argv[1:]
    environ = os.environ
    if argv[:1] == ["--version"]:
        try:
            _load(load)  # so that no image is built whose Python can't do it
        except UnsupportedPythonError as error:
            _complain(str(error))
            return EX_USAGE
        print(f"lambda-adapter {__version__}")
        return 0
    if argv[:1] in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if environ.get(RUNTIME_API):
        return _serve(argv, environ, load)
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
        _refuse_itself(config)
    except ConfigError as error:
        return _give_up(error, environ)
    argv = _handler(config, argv) or argv
    if argv:
        claim()
    child = launcher.start(argv, environ, config.app_wrapper) if argv else None
    try:
        run = _load(load, beside=child)
    except UnsupportedPythonError as error:
        return _give_up(error, environ)  # the child ends with this process
    return run(config, child)


def _load(load: Callable[[], None], beside: launcher.Child | None = None) -> Serve:
    """Import what serves the application, and return it.

    The start of the application comes first. Where it is this process's child, and has
    the same core, importing in the background saves a tenth of a cold start (measured).

    Raises:
        UnsupportedPythonError: it needs what this Python does not have.
    """
    gc.disable()  # what is imported is no garbage; to find that out takes 9 ms
    load()
    serve = background.run(_import) if beside else _import()
    gc.freeze()
    gc.enable()
    return serve


def _import() -> Serve:
    try:
        from lambda_adapter.serve import trio_front

        trio_front.import_trio()
        from lambda_adapter.serve import supervisor
    except ImportError as error:
        version = "{}.{}.{}".format(*sys.version_info)
        raise UnsupportedPythonError(
            f"Python {version} ({sys.executable}) is not supported: {error};"
            f" the adapter is for {SUPPORTED}"
        ) from error
    return supervisor.run


def _give_up(error: AdapterError, environ: Mapping[str, str]) -> int:
    """Say why nothing can be served, in the log and to Lambda."""
    _complain(str(error))
    try:
        runtime_api = Config({RUNTIME_API: environ[RUNTIME_API]}).runtime_api
    except ConfigError:  # which then is the error
        return EX_USAGE
    from lambda_adapter.init_error import post_init_error

    if failure := post_init_error(runtime_api, error):
        _complain(f"Lambda could not be told of the init error: {failure}")
    return EX_USAGE


def _handler(config: Config, argv: list[str]) -> list[str]:
    """Return the program that the function names as its handler, if that is started.

    It is where this is a managed runtime's wrapper script, whose arguments, what Lambda
    would have run instead, are ignored:
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    And where this is the bootstrap of an OS-only runtime, which has no wrapper scripts:
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html
    """
    is_bootstrap = not argv and os.path.basename(sys.argv[0]) == "bootstrap"
    if (is_bootstrap and config.handler) or _is_this(config.exec_wrapper):
        return [os.path.join(config.task_root, config.handler or "")]
    return []


def _refuse_itself(config: Config) -> None:
    """Refuse to start the application through the adapter, which would have no end.

    Raises:
        ConfigError: the setting asks for that.
    """
    if config.app_wrapper and _is_this(config.app_wrapper):
        expected = (
            "a program other than this adapter, which AWS_LAMBDA_EXEC_WRAPPER is for"
        )
        raise ConfigError("AWS_LWA_EXEC_WRAPPER", config.app_wrapper, expected)


def _is_this(program: str | None) -> bool:
    try:
        return os.path.samefile(program or "", sys.argv[0])
    except OSError:
        return False


def _complain(message: str) -> None:
    """Write an error before there is a logger, in the format that is set for it."""
    line = f"lambda-adapter: {message}"
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        import json
        import time

        line = json.dumps(
            {
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
                "level": "ERROR",
                "logger": "lambda-adapter",
                "message": message,
            }
        )
    print(line, file=sys.stderr)
