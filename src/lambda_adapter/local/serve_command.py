"""``lambda-adapter local [OPTIONS] [--] COMMAND ARG...``: serve until ended. Shell."""

import signal
import socket
import sys
from collections.abc import AsyncIterator

import click
import trio

from lambda_adapter.local.command_line import (
    FUNCTION_OPTIONS,
    GATEWAY_OPTIONS,
    SETTINGS,
    Reporter,
    options_of,
    reporter,
)
from lambda_adapter.local.desk import DeskError
from lambda_adapter.local.options import Options, settings_shown
from lambda_adapter.local.reload import keep_reloading
from lambda_adapter.local.session import Session, listen, open_session

EPILOG = """\
Use -- before a COMMAND that begins with a dash, or is called invoke or events.

\b
lambda-adapter local invoke --help    Send a function one event.
lambda-adapter local events --help    Print an example event.
"""


def serve(
    command: tuple[str, ...], *, reload: bool, as_json: bool, **given: object
) -> int:
    """Serve until a signal comes, and return the exit status."""
    report = reporter(as_json=as_json)
    try:
        options = options_of(command, given)
        front = listen(options.port)
    except DeskError as error:
        report.failure(str(error))
        return 1
    return trio.run(_serve, options, report, front, reload)


COMMAND = click.Command(
    "local",
    SETTINGS,
    callback=serve,
    params=[
        *GATEWAY_OPTIONS,
        *FUNCTION_OPTIONS,
        click.Option(
            ["--reload"],
            is_flag=True,
            help="Start anew when a file in this directory changes.",
        ),
        click.Option(
            ["--json", "as_json"], is_flag=True, help="Print one JSON object a line."
        ),
        click.Argument(["command"], nargs=-1, metavar="COMMAND [ARG]..."),
    ],
    help="Run COMMAND, a web application, as a Lambda function on this machine.",
    epilog=EPILOG,
    options_metavar="[OPTIONS] [--]",
)


async def _serve(
    options: Options, report: Reporter, front: socket.socket, reload: bool
) -> int:
    status = 0
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_session(options, report, front) as session:
            report.begin(
                session.url,
                options.event,
                options.shown,
                settings_shown(options.environ),
            )
            report.page(session.page_url)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_live, session, report, reload)
                    await _wait_signal(signals, report)
                    nursery.cancel_scope.cancel()
            except* DeskError as group:
                report.failure(str(group.exceptions[0]))
                status = 1
    if not status:
        report.end()
    return status


async def _live(session: Session, report: Reporter, reload: bool) -> None:
    """Start the function, and start it anew when a file changes, if that is asked for.

    Raises:
        DeskError: it can't be started.
    """
    if not reload:
        await session.start()
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_reloading, session, report)


async def _wait_signal(signals: AsyncIterator[int], report: Reporter) -> None:
    """Return once there is a signal; a terminal's ^C has begun a line."""
    async for number in signals:
        if number == signal.SIGINT and sys.stdout.isatty():
            report.interrupted()
        return
