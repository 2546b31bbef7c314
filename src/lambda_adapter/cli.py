"""The command line: ``lambda-adapter COMMAND ARGUMENT...``, ``--asgi`` or ``--wsgi``.

Outside Lambda, replace this process by the command, or by a server for a Python
application. On Lambda, start the command as a child, and only then import what serves
it. Until then, import only builtins and ``os``, since the application waits for it.
"""

from __future__ import annotations

import gc
import os
import sys

from lambda_adapter import __version__, bootstrap, launcher
from lambda_adapter.command_line import find_command
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AdapterError,
    AppStartError,
    ConfigError,
    OptionError,
    UnsupportedPythonError,
)
from lambda_adapter.launcher import acquire_lock
from lambda_adapter.settings import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

    Serve = Callable[[Config, launcher.Child | None], int]


EX_USAGE = 64
"""Exit status for an unusable command, setting or Python: sysexits.h."""

SUPPORTED = "CPython 3.11 to 3.15 with glibc, on x86-64 or ARM64"
"""Where the extension modules in the zipapp and the images can run."""


def main(load: Callable[[], None] = lambda: None) -> int:
    """Run the command line, and return its exit status.

    ``load`` is called after the application was started, just before the rest of the
    adapter is imported. The zipapp unpacks itself in it.
    """
    if "_LAMBDA_ADAPTER_ENVIRON" in os.environ:
        from lambda_adapter.given_environ import restore

        restore()
    argv = sys.argv[1:]
    environ: Mapping[str, str] = os.environ
    if argv[:1] in (["--version"], ["-V"]):
        return _show_version(load)
    if argv[:1] in (["--help"], ["-h"]):
        _show_usage(sys.stdout)
        return 0
    if argv and argv[0].startswith("-"):
        from lambda_adapter.command_line import read_options

        try:
            settings, argv = read_options(argv)
        except OptionError as error:
            return _give_up(error, environ)
        environ = {**environ, **settings}
    # On Lambda, ``local`` is a command like any other.
    if environ.get(RUNTIME_API):
        return _serve_on_lambda(argv, environ, load)
    if argv[:1] == ["local"]:
        return _run_local(argv[1:])
    return _run_off_lambda(argv, environ)


def _show_version(load: Callable[[], None]) -> int:
    # Everything is imported, so that building an image with a Python that can't run the
    # adapter fails at its ``RUN lambda-adapter --version``.
    try:
        _load_serve(load)
    except UnsupportedPythonError as error:
        _complain(str(error))
        return EX_USAGE
    print(f"lambda-adapter {__version__}")
    return 0


def _run_off_lambda(argv: list[str], environ: Mapping[str, str]) -> int:
    """Become the command or a web server; with MicroVM hooks, run beside it."""
    if environ.get("AWS_LWA_ASGI_APP") or environ.get("AWS_LWA_WSGI_APP"):
        from lambda_adapter.off_lambda import find_server

        try:
            argv, environ = find_server(argv, environ)
        except (ConfigError, OptionError, AppStartError) as error:
            _complain(str(error))
            return EX_USAGE
    if argv and environ.get("AWS_LWA_MICROVM_HOOKS_PORT"):
        return _serve_microvm(argv, environ)
    return _become(argv, environ)


def _serve_microvm(argv: list[str], environ: Mapping[str, str]) -> int:
    """Start the application, and answer the hooks of its MicroVM."""
    from lambda_adapter.microvm import parent

    try:
        config = Config(environ)
    except ConfigError as error:
        return _give_up(error, environ)
    return parent.run(argv, environ, config)


def _become(argv: list[str], environ: Mapping[str, str]) -> int:
    if not argv:
        _show_usage(sys.stderr)
        return EX_USAGE
    try:
        launcher.become(argv, environ)
    except OSError as error:
        code = error.errno or 0
        from lambda_adapter.startup_failure import describe_start_error, suggest_local

        is_missing = isinstance(error, FileNotFoundError)
        meant = suggest_local(argv[0]) if is_missing else ""
        _complain(describe_start_error(argv[0], code, advice=meant))
        # https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
        return 127 if is_missing else 126


def _serve_on_lambda(
    argv: list[str], environ: Mapping[str, str], load: Callable[[], None]
) -> int:
    """Start the application, unless Lambda does that itself, and serve it."""
    try:
        config = Config(environ)
        argv = find_command(config, argv)
    except (ConfigError, OptionError) as error:
        return _give_up(error, environ)
    if argv or config.is_in_process:
        acquire_lock()
    child = launcher.start(argv, environ, config.app_wrapper) if argv else None
    try:
        if config.is_in_process:
            from lambda_adapter.bootstrap import load_serve

            serve = load_serve(load, on_trio=config.asgi_loop != "asyncio")
        else:
            serve = _load_serve(load, beside=child)
    except UnsupportedPythonError as error:
        return _give_up(error, environ)  # the child ends with this process
    return serve(config, child)


def _load_serve(
    load: Callable[[], None], beside: launcher.Child | None = None
) -> Serve:
    """Import what serves the application, and return it.

    If the application is a child of this process, it starts at the same time and on
    the same core. Importing at a low priority then saves a tenth of a cold start
    (measured).

    Raises:
        UnsupportedPythonError: this Python can't import it.
    """
    # Imported objects are not garbage, and the collector would take 9 ms to find out
    # (measured). Freezing them also keeps them out of every later collection.
    gc.disable()
    load()
    serve = bootstrap.run_niced(import_serve) if beside else import_serve()
    gc.freeze()
    gc.enable()
    return serve


def import_serve() -> Serve:
    """Import what serves the application, and return it.

    Raises:
        UnsupportedPythonError: this Python can't import it.
    """
    try:
        from lambda_adapter.serve import lazy_trio

        lazy_trio.import_trio()
        from lambda_adapter.serve import supervisor
    except Exception as error:  # no extension module for it, or a removed one
        version = "{}.{}.{}".format(*sys.version_info)
        reason = f"{type(error).__name__}: {error}"
        raise UnsupportedPythonError(
            f"Python {version} ({sys.executable}) is not supported: {reason};"
            f" the adapter is for {SUPPORTED}"
        ) from error
    return supervisor.run


def _give_up(error: AdapterError, environ: Mapping[str, str]) -> int:
    """Report in the log and to Lambda why nothing can be served."""
    from lambda_adapter.startup_failure import give_up

    give_up(error, environ)
    return EX_USAGE


def _complain(message: str) -> None:
    from lambda_adapter.startup_failure import complain

    complain(message)


def _show_usage(file: TextIO) -> None:
    file.write(USAGE)


def _run_local(argv: list[str]) -> int:
    """Run ``lambda-adapter local``, which needs the extra of the same name."""
    try:
        from lambda_adapter.local.cli import main
    except ImportError as error:
        _complain(
            f"`local` is not in this installation ({error}); install the adapter with"
            " `pip install '.[local]'`, from a checkout of its repository"
        )
        return EX_USAGE
    return main(argv)


USAGE = """\
usage: lambda-adapter COMMAND [ARGUMENT...]
       lambda-adapter [--app-dir DIRECTORY] --asgi MODULE:ATTRIBUTE
       lambda-adapter [--app-dir DIRECTORY] --wsgi MODULE:ATTRIBUTE
       lambda-adapter --microvm-hooks PORT COMMAND [ARGUMENT...]

Run a web application on AWS Lambda without changing its code. On Lambda, start COMMAND
and send it each event as an HTTP request; anywhere else, become COMMAND. With --asgi or
--wsgi, import an application into this process and call it; anywhere else, become the
web server that is installed: uvicorn or hypercorn, gunicorn or waitress. With
--microvm-hooks, answer the hooks of a Lambda MicroVM on PORT, beside COMMAND.

  lambda-adapter gunicorn --bind :8080 app:app   a server, in any language
  lambda-adapter --asgi main:app                 an application in Python, without one
  lambda-adapter local --help                    try either locally, as a function
  lambda-adapter --version, -V                   print the version
  lambda-adapter --help, -h                      print this

Settings are environment variables, such as AWS_LWA_PORT, the port of COMMAND (8080):
docs/reference/settings.md has all of them.

Exit status: that of COMMAND; 64 if the command line or a setting can't be used.
"""
