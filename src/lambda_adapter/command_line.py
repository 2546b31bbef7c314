"""Parse the adapter's command line: its options, and the application's command."""

from __future__ import annotations

import os
import sys

from lambda_adapter.errors import ConfigError, OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_adapter.config import Config


def find_command(config: Config, argv: list[str]) -> list[str]:
    """Return the application's command, empty if it runs in this process.

    Raises:
        OptionError: there is a command, and an application for this process.
        ConfigError: AWS_LWA_EXEC_WRAPPER names the adapter, which would start itself
            endlessly.
    """
    if config.app_wrapper and _is_this(config.app_wrapper):
        expected = (
            "a program other than this adapter, which AWS_LAMBDA_EXEC_WRAPPER is for"
        )
        raise ConfigError("AWS_LWA_EXEC_WRAPPER", config.app_wrapper, expected)
    wrapped = _handler(config, argv)
    if not config.is_in_process:
        return wrapped or argv
    if argv and not wrapped:
        option = (
            "--asgi (AWS_LWA_ASGI_APP)"
            if config.asgi_app
            else "--wsgi (AWS_LWA_WSGI_APP)"
        )
        raise OptionError(
            f"{argv[0]!r} is a command, but {option} runs the application in the"
            " adapter's own process: remove one of them"
        )
    return []


def _handler(config: Config, argv: list[str]) -> list[str]:
    """Return the program that the function's handler names, if that is to be started.

    It is started in two cases. If the adapter is the wrapper script of a managed
    runtime, its arguments are the command that Lambda would have run, and are ignored:
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
    If it is the bootstrap of an OS-only runtime, it has no arguments:
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html
    """
    is_runtime = not argv and is_bootstrap()
    if (is_runtime and config.handler) or _is_this(config.exec_wrapper):
        return [os.path.join(config.task_root, config.handler or "")]
    return []


def is_bootstrap() -> bool:
    """Return whether this is a runtime's ``bootstrap``, and so no extension."""
    return os.path.basename(sys.argv[0]) == "bootstrap"


def _is_this(program: str | None) -> bool:
    try:
        return os.path.samefile(program or "", sys.argv[0])
    except OSError:
        return False


OPTIONS = {
    "--asgi": "AWS_LWA_ASGI_APP",
    "--wsgi": "AWS_LWA_WSGI_APP",
    "--app-dir": "AWS_LWA_APP_DIR",
    "--microvm-hooks": "AWS_LWA_MICROVM_HOOKS_PORT",
}
"""Options, with the settings that they set."""


def read_options(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Parse options; return the settings that they set, and the remaining arguments.

    An option's value is the next argument, or follows ``=``. ``--`` ends the options.

    Raises:
        OptionError: an option is unknown, or has no value.
    """
    settings: dict[str, str] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        option, equals, value = rest.pop(0).partition("=")
        if option == "--":
            break
        if option not in OPTIONS:
            raise OptionError(f"there is no option {option}{_suggest(option)}")
        if not equals:
            value = rest.pop(0) if rest else ""
        if not value:
            raise OptionError(f"{option} needs a value")
        settings[OPTIONS[option]] = value
    return settings, rest


def _suggest(option: str) -> str:
    from difflib import get_close_matches  # slow to import, and rarely needed

    known = [*OPTIONS, "--version", "--help", "-h", "-V"]
    near = get_close_matches(option, known, 1)
    return f"; did you mean {near[0]}?" if near else ": see lambda-adapter --help"
