"""Options of the command line, and what is made of them. Shell."""

import errno
import os
import shutil
import sys
from collections.abc import Mapping

import click
import msgspec
from rich.console import Console

from lambda_adapter.errors import ConfigError, OptionError
from lambda_adapter.local.console import ConsoleReport
from lambda_adapter.local.desk import DeskError
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.json_lines import JsonReport
from lambda_adapter.local.options import Options, function_environ, read_command
from lambda_adapter.start_error import describe_start_error

Reporter = ConsoleReport | JsonReport

SETTINGS = {"allow_interspersed_args": False, "max_content_width": 88}
"""Everything after COMMAND is COMMAND's, its own ``--`` included."""


GATEWAY_OPTIONS = [
    click.Option(
        ["--event"],
        type=click.Choice(list(GATEWAYS)),
        default="http-api",
        show_default=True,
        metavar="KIND",
        help=f"The gateway: {', '.join(GATEWAYS)}.",
    ),
    click.Option(
        ["--stage"],
        default="$default",
        show_default=True,
        metavar="NAME",
        help="The stage of an API.",
    ),
    click.Option(
        ["--binary-media-types"],
        default="",
        metavar="LIST",
        help="The binary types of a REST API, such as image/*,font/*.",
    ),
    click.Option(
        ["--port"],
        type=click.IntRange(0, 65_535),
        default=9000,
        show_default=True,
        metavar="PORT",
        help="The port of the gateway; 0 for any that is free.",
    ),
    click.Option(
        ["--freeze"], is_flag=True, help="Stop all processes between invocations."
    ),
    click.Option(
        ["--cold"], is_flag=True, help="Make a new environment for each request."
    ),
    click.Option(
        ["--environments"],
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        metavar="N",
        help="Environments at most, each with a PORT of its own.",
    ),
    click.Option(
        ["--concurrency"],
        type=click.IntRange(1, 1000),
        default=1,
        show_default=True,
        metavar="N",
        help="Invocations at once in an environment, as on Managed Instances.",
    ),
]

FUNCTION_OPTIONS = [
    click.Option(
        ["--invoke-mode"],
        type=click.Choice(["buffered", "response_stream"]),
        show_default="AWS_LWA_INVOKE_MODE, or buffered",
        help="Whole replies, or streamed ones.",
    ),
    click.Option(
        ["--app-port"],
        type=click.IntRange(1, 65_535),
        show_default="AWS_LWA_PORT, PORT, or 8080",
        metavar="PORT",
        help="The port that COMMAND listens on; its PORT.",
    ),
    click.Option(
        ["--timeout"],
        type=click.FloatRange(0.1, 900),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="The timeout of the function.",
    ),
    click.Option(
        ["--memory"],
        type=click.IntRange(128, 10_240),
        default=1024,
        show_default=True,
        metavar="MB",
        help="The memory of the function, in name only.",
    ),
]


class Given(msgspec.Struct):
    """What the options say."""

    invoke_mode: str | None
    app_port: int | None
    timeout: float
    memory: int
    event: str = "http-api"
    stage: str = "$default"
    binary_media_types: str = ""
    port: int = 0
    freeze: bool = False
    cold: bool = False
    environments: int = 1
    concurrency: int = 1


def options_of(command: tuple[str, ...], given: Mapping[str, object]) -> Options:
    """Return what is to be run.

    Raises:
        DeskError: it can't be.
        UsageError: two options contradict each other.
    """
    told = msgspec.convert(given, Given)
    if told.cold and told.concurrency > 1:
        raise click.UsageError("--cold and --concurrency exclude each other")
    try:
        command, base = read_command(command, os.environ)
    except OptionError as error:
        raise DeskError(str(error)) from error
    environ = function_environ(
        base,
        app_port=told.app_port,
        invoke_mode=told.invoke_mode,
        memory=told.memory,
    )
    kinds = (kind.strip().lower() for kind in told.binary_media_types.split(","))
    options = Options(
        command,
        environ,
        event=told.event,
        stage=told.stage,
        binary_media_types=tuple(filter(None, kinds)),
        port=told.port,
        timeout=told.timeout,
        freeze=told.freeze,
        cold=told.cold,
        environments=told.environments,
        concurrency=told.concurrency,
    )
    check(options)
    if not options.command and not options.config.is_in_process:
        raise click.UsageError("Missing argument 'COMMAND [ARG]...'.")
    return options


def check(options: Options) -> None:
    """See that the settings can be used, and that the command can be found.

    Raises:
        DeskError: one can't.
    """
    try:
        _ = options.config
    except ConfigError as error:
        raise DeskError(str(error)) from error
    name = options.command[0] if options.command else ""
    if name and not shutil.which(name, path=options.environ.get("PATH")):
        code = errno.EACCES if os.path.isfile(name) else errno.ENOENT
        raise DeskError(describe_start_error(name, code))


def reporter(*, as_json: bool) -> Reporter:
    """Return what tells people, or programs."""
    if as_json:
        return JsonReport(lambda line: print(line, flush=True))
    return ConsoleReport(Console(file=sys.stdout))
