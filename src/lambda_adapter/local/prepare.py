"""Turn options into a function that can be started, or report why it can't."""

import os
import shutil
from collections.abc import Mapping, Sequence

import msgspec

from lambda_adapter.errors import ConfigError, OptionError
from lambda_adapter.local.advice import advise_on_application, advise_on_command
from lambda_adapter.local.debugging import (
    debugged,
    debugged_adapter,
    profiled,
)
from lambda_adapter.local.env_file import parse_env_file
from lambda_adapter.local.option_table import Given
from lambda_adapter.local.options import (
    Options,
    function_environ,
    microvm_environ,
    read_command,
)
from lambda_adapter.local.ports import SetupError, free_ports


def make_options(
    command: Sequence[str],
    given: Given,
    environ: Mapping[str, str],
    cwd: str | None = None,
) -> Options:
    """Return the options of a function that can be started.

    Raises:
        SetupError: it can't be started; the message has the reason.
    """
    environ = {**_read_env_files(given.env_file, cwd), **environ}
    try:
        words, environ = read_command(command, environ)
    except OptionError as error:
        raise SetupError(str(error)) from error
    settings = {
        "AWS_LWA_ASGI_APP": given.asgi,
        "AWS_LWA_WSGI_APP": given.wsgi,
        "AWS_LWA_APP_DIR": given.app_dir,
    }
    environ = {**environ, **{name: value for name, value in settings.items() if value}}
    try:
        made = _environ(given, environ)
    except ConfigError as error:
        raise SetupError(str(error)) from error
    options = Options(words, made, cwd=cwd, **msgspec.structs.asdict(given))
    _check_settings(options)
    return options


def _environ(given: Given, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the application, as Lambda would make it.

    Raises:
        ConfigError: a setting can't be used.
    """
    if given.microvm:
        (hooks_port,) = free_ports(1)
        return microvm_environ(environ, app_port=given.app_port, hooks_port=hooks_port)
    return function_environ(
        environ,
        app_port=given.app_port,
        invoke_mode=given.invoke_mode,
        memory=given.memory,
        function_name=given.function_name,
    )


def _read_env_files(names: Sequence[str], cwd: str | None) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name in names:
        try:
            with open(os.path.join(cwd or "", name), encoding="utf-8-sig") as file:
                variables |= parse_env_file(file.read())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SetupError(f"--env-file {name} can't be read: {reason}") from error
    return variables


def _check_settings(options: Options) -> None:
    """Check the settings, and that the application they name exists.

    Raises:
        SetupError: a setting can't be used, or something does not exist.
    """
    for option, name in (
        ("--asgi", options.environ.get("AWS_LWA_ASGI_APP")),
        ("--wsgi", options.environ.get("AWS_LWA_WSGI_APP")),
    ):
        if name and (advice := advise_on_application(option, name)):
            raise SetupError(advice)
    try:
        config = options.config
    except ConfigError as error:
        raise SetupError(str(error)) from error
    folder = os.path.join(options.cwd or "", config.app_dir or "")
    if config.app_dir and not os.path.isdir(folder):
        raise SetupError(f"--app-dir {config.app_dir}: there is no such folder")
    if options.microvm and options.port in {config.microvm_hooks_port, config.port}:
        raise SetupError(
            f"the application or the hooks need port {options.port}: choose another"
            " --port"
        )
    name = options.command[0] if options.command else ""
    if name and config.is_in_process:
        raise SetupError(
            f"an application is either {options.shown} or a command: leave out {name!r}"
        )
    if name and not _finds(name, options):
        search = options.environ.get("PATH", os.defpath)
        raise SetupError(advise_on_command(name, options.cwd, search))
    if options.debug is not None:
        _check_debug(options, options.debug)
    if options.profile_imports:
        _check_profile(options)


def _check_debug(options: Options, port: int) -> None:
    if options.sandbox or options.environments > 1:
        raise SetupError("--debug is for one environment, without --sandbox")
    if options.profile_imports:
        raise SetupError("--profile-imports and --debug exclude each other")
    # Called only for what they raise: that this can't be debugged.
    if options.command:
        debugged(options.command, options.environ, port)
    else:
        debugged_adapter(port)


def _check_profile(options: Options) -> None:
    if options.sandbox or options.environments > 1:
        raise SetupError("--profile-imports is for one environment, without --sandbox")
    if options.command:
        profiled(options.command, options.environ, "")


def _finds(name: str, options: Options) -> bool:
    if os.path.dirname(name):  # as the exec will see it
        name = os.path.join(options.cwd or "", name)
    return shutil.which(name, path=options.environ.get("PATH")) is not None
