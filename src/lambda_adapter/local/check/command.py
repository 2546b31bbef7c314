"""``lambda-adapter local check``: check an application under Lambda's conditions."""

import os
import sys
from collections.abc import Mapping

import click
import msgspec
import trio
from rich.console import Console
from rich.text import Text

from lambda_adapter.local.check.prepare import make
from lambda_adapter.local.check.report import html as html_report
from lambda_adapter.local.check.report import json as json_report
from lambda_adapter.local.check.report import junit as junit_report
from lambda_adapter.local.check.report import text as text_report
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.rules.openapi import SourceError
from lambda_adapter.local.check.run import Check
from lambda_adapter.local.check.settings import FULL, QUICK, CheckSettings, Target
from lambda_adapter.local.check.sources import is_of_application, read_sources
from lambda_adapter.local.cli_options import (
    MISSING,
    SETTINGS,
    VERSION,
    WordedOption,
    click_options,
    read_click,
)
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.option_table import Given
from lambda_adapter.local.options import Options
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.project_file import Project

MEMORY = 512
"""Default memory in megabytes: 0.29 vCPU."""

EPILOG = """\
\b
lambda-adapter local check --quick -- gunicorn app:app
lambda-adapter local check --asgi main:app --openapi /openapi.json
lambda-adapter local check --quick --junit check.xml -- npm start

Exit status: 0 without a failure, 1 with one, 64 if the command line is invalid, 130
after Ctrl-C.
"""

INTERRUPTED = 130
"""Exit status after SIGINT, as from a shell."""

SHARED = (
    *("asgi", "wsgi", "app_dir", "app_port", "env_file", "memory", "tmp_size"),
    "init_cpu",
)
"""The options of ``local`` that a check accepts as well."""


async def run_check(checking: Check) -> bool:
    """Run a check until it ends or a signal arrives; return whether it has ended."""
    import signal

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:

            async def interrupt() -> None:
                async for _ in signals:
                    nursery.cancel_scope.cancel()
                    return

            nursery.start_soon(interrupt)
            await checking.run()
            nursery.cancel_scope.cancel()
    return checking.result.complete


def _read_targets(named: Mapping[str, str | None]) -> tuple[Target, ...]:
    """Return the requests that the options' files and URLs name."""
    try:
        return read_sources(named)
    except SourceError as error:
        raise click.UsageError(str(error)) from error


def run_command(
    command: tuple[str, ...],
    *,
    quick: bool,
    gateway: str,
    crawl: int | None,
    monthly: int,
    paths: str | None,
    openapi: str | None,
    har: str | None,
    json_file: str | None,
    html: str | None,
    junit: str | None,
    **others: object,
) -> int:
    """Check an application; return 1 if it would fail on Lambda."""
    command, given = _find_application(command, read_click(others))
    settings = CheckSettings(
        pace=QUICK if quick else FULL,
        gateways=_read_gateways(gateway),
        targets=_read_targets({"paths": paths, "openapi": openapi, "har": har}),
        openapi=openapi if openapi and is_of_application(openapi) else "",
        crawl=crawl,
        tmp_mb=given.tmp_size,
        memory_mb=given.memory,
        fixed_port=bool(given.app_port or os.environ.get("PORT")),
        monthly=monthly,
    )
    try:
        options = make(command, given, settings, os.environ)
    except SetupError as error:
        _print_error(str(error))
        return 1
    if not options.command and not options.config.is_in_process:
        raise click.UsageError(MISSING)
    result = _check(options, settings)
    _report_check(result, json_file, html, junit)
    if not result.complete:
        return INTERRUPTED
    return 1 if result.failed else 0


def _print_error(message: str) -> None:
    text = Text.assemble(("error", "bold red"), f"  {message}")
    Console(stderr=True).print(text, soft_wrap=True)


def _find_application(
    command: tuple[str, ...], given: Given
) -> tuple[tuple[str, ...], Given]:
    """Return the application of the command line or, without one, the project's."""
    if command or given.asgi or given.wsgi:
        return command, given
    project = click.get_current_context().find_object(Project) or Project()
    return project.command, msgspec.structs.replace(given, **project.application)


def _check(options: Options, settings: CheckSettings) -> Result:
    with Console(stderr=True).status("starting") as status:
        checking = Check(options, settings, lambda said: status.update(said))
        trio.run(run_check, checking)
    return checking.result


def _read_gateways(given: str) -> tuple[str, ...]:
    """Return the named gateways; an empty tuple means all."""
    names = () if given == "all" else tuple(given.split(","))
    if unknown := set(names) - GATEWAYS.keys():
        raise click.UsageError(
            f"no gateway {min(unknown)!r}: expected all, or some of"
            f" {', '.join(GATEWAYS)}"
        )
    return names


def _report_check(
    result: Result, json_file: str | None, html: str | None, junit: str | None
) -> None:
    _print_check_report(result)
    for path, render in (
        (json_file, json_report.render),
        (html, html_report.render),
        (junit, junit_report.render),
    ):
        if path:
            _write_report_file(path, render(result))


def _print_check_report(result: Result) -> None:
    console = Console(file=sys.stdout)
    for line in text_report.lines(result):
        console.print(_coloured_line(line), highlight=False, soft_wrap=True)


def _coloured_line(line: str) -> Text:
    colours = {"FAIL": "bold red", "warn": "yellow", "pass": "green"}
    text = Text(line)
    for word, colour in colours.items():
        if line.startswith(f"{word}  "):
            text.stylize(colour, 0, len(word))
    return text


def _write_report_file(path: str, content: bytes) -> None:
    if path == "-":
        sys.stdout.buffer.write(content)
        return
    with open(path, "wb") as file:
        file.write(content)


def shared_options() -> list[click.Parameter]:
    """Return the options of ``local`` that a check accepts as well."""
    options = [each for each in click_options() if each.name in SHARED]
    for option in options:
        if option.name == "memory":
            option.default = MEMORY
    return options


COMMAND = click.Command(
    "check",
    SETTINGS,
    callback=run_command,
    params=[
        click.Option(
            ["--quick"],
            is_flag=True,
            help="Take half a minute instead of four minutes.",
        ),
        click.Option(
            ["--paths"],
            metavar="FILE",
            help="A file of paths to request, one per line, perhaps with a method.",
        ),
        click.Option(
            ["--openapi"],
            metavar="FILE|URL|PATH",
            help="An OpenAPI document in JSON, to request its GET operations: a file, a"
            " URL, or a path of the application, such as /openapi.json.",
        ),
        click.Option(
            ["--har"],
            metavar="FILE",
            help="A HAR file of a browser, to repeat its GET and HEAD requests.",
        ),
        WordedOption(
            ["--crawl"],
            type=click.IntRange(0, 1_000),
            metavar="N",
            show_default="50, or 10 with --quick",
            help="Most links to follow from /, if no paths are given.",
        ),
        click.Option(
            ["--gateway"],
            default="all",
            show_default=True,
            metavar="LIST",
            help=f"The gateways to check: all, or some of {', '.join(GATEWAYS)}.",
        ),
        WordedOption(
            ["--monthly"],
            type=click.IntRange(1, 10_000_000_000),
            default=1_000_000,
            show_default=True,
            metavar="N",
            help="Requests per month for the estimate of costs.",
        ),
        click.Option(
            ["--json", "json_file"], metavar="FILE", help="Write a report in JSON."
        ),
        click.Option(
            ["--html"], metavar="FILE", help="Write a report as an HTML page."
        ),
        click.Option(
            ["--junit"], metavar="FILE", help="Write a report in JUnit's XML, for CI."
        ),
        *shared_options(),
        VERSION,
        click.Argument(["command"], nargs=-1, metavar="COMMAND [ARG]..."),
    ],
    help="Check whether COMMAND, a web application, would run on Lambda.",
    epilog=EPILOG,
    options_metavar="[OPTIONS] [--]",
)
