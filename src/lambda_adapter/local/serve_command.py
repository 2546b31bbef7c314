"""``lambda-adapter local [OPTIONS] [--] COMMAND ARG...``: serve until ended."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import click
import msgspec
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.adapter_process import DEATH
from lambda_adapter.local.cli_options import (
    MISSING,
    SETTINGS,
    VERSION,
    Reporter,
    click_options,
    read_click,
    reporter,
)
from lambda_adapter.local.import_profile import open_profile
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.options import Options, settings_shown
from lambda_adapter.local.output import BROKEN_PIPE, Output
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.prepare import make_options
from lambda_adapter.local.project_file import Project
from lambda_adapter.local.reload import Reload
from lambda_adapter.local.session import Session, listen, open_session

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from lambda_adapter.local.microvm.session import MicroVMSession

    Opening = Callable[
        [Options, Reporter, socket.socket],
        AbstractAsyncContextManager[Session | MicroVMSession],
    ]

EPILOG = """\
Put -- before a COMMAND that starts with a dash, or is named like one of those below.
pyproject.toml may have any of the options in [tool.lambda-adapter.local].

\b
lambda-adapter local --asgi main:app              FastAPI, Starlette, Litestar, Quart
lambda-adapter local --wsgi main:app              Flask, Django, Bottle
lambda-adapter local -- uvicorn main:app          any command that listens on $PORT
lambda-adapter local check --help                 would a command run on Lambda?
lambda-adapter local invoke --help                send a function one event
lambda-adapter local events --help                print an example event
lambda-adapter local completion --help            completion for bash, zsh and fish

\b
Exit status: 0 after Ctrl-C or SIGTERM, 1 if the function can't be run,
64 if the command line is invalid.
"""


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end everything in order."""


def serve(command: tuple[str, ...], **given: object) -> int:
    """Serve until a signal arrives, and return the exit status."""
    options = read_click(given)
    output = Output(sys.stdout)
    report = reporter(output, as_json=options.json)
    if not (command or options.asgi or options.wsgi):
        project = click.get_current_context().find_object(Project) or Project()
        options = msgspec.structs.replace(options, **project.application)
        command = project.command
    try:
        made = make_options(command, options, os.environ)
        if not made.command and not made.config.is_in_process:
            raise click.UsageError(MISSING)
        front = listen(made.port)
    except SetupError as error:
        report.failure(str(error))
        return 1
    processes.adopt_orphans()
    try:
        if made.profile_imports:
            return trio.run(_serve_profiled, made, report, output, front)
        return trio.run(_serve_locally, made, report, output, front)
    finally:
        processes.kill(processes.tree(os.getpid())[1:], DEATH)


COMMAND = click.Command(
    "local",
    SETTINGS,
    callback=serve,
    params=[
        *click_options(),
        VERSION,
        click.Argument(["command"], nargs=-1, metavar="COMMAND [ARG]..."),
    ],
    help="Run COMMAND, a web application, as a Lambda function on this machine.",
    epilog=EPILOG,
    options_metavar="[OPTIONS] [--]",
)


async def _serve_profiled(
    options: Options, report: Reporter, output: Output, front: socket.socket
) -> int:
    async with open_profile(report) as profile:
        options = msgspec.structs.replace(options, profile_socket=profile.path)
        return await _serve_locally(options, report, output, front, profile.note_reply)


async def _serve_locally(
    options: Options,
    report: Reporter,
    output: Output,
    front: socket.socket,
    listener: Callable[[Invocation], None] | None = None,
) -> int:
    status = 0
    opening = _opening(options)
    with trio.open_signal_receiver(*ENDING) as signals:
        async with opening(options, report, front) as session:
            if listener and isinstance(session, Session):
                session.function.listeners.append(listener)
            report.begin(
                session.url,
                options.entrance,
                options.shown,
                session.page_url,
                settings_shown(options.environ),
            )
            _notice_unstreamed(options, report)
            try:
                async with trio.open_nursery() as nursery:
                    scope = nursery.cancel_scope
                    nursery.start_soon(_keep_serving, session, report, options, scope)
                    nursery.start_soon(_cancel_when_unread, output, nursery)
                    await _wait_signal(signals, report)
                    nursery.cancel_scope.cancel()
            except* SetupError as group:
                report.failure(str(group.exceptions[0]))
                status = 1
    if not status:
        report.end()
    return BROKEN_PIPE if output.closed_by_reader.is_set() else status


def _opening(options: Options) -> "Opening":
    """Return what opens the session of a function, or of a MicroVM."""
    if not options.microvm:
        return open_session
    from lambda_adapter.local.microvm.session import open_microvm

    return open_microvm


def _notice_unstreamed(options: Options, report: Reporter) -> None:
    if options.microvm:
        return
    streams = options.open_gateway().streams
    if options.config.streams and not streams:
        report.notice(
            f"--gateway {options.gateway} does not stream: its responses are whole;"
            " function-url and rest-api stream"
        )


async def _cancel_when_unread(output: Output, nursery: trio.Nursery) -> None:
    await output.closed_by_reader.wait()
    nursery.cancel_scope.cancel()


async def _keep_serving(
    session: "Session | MicroVMSession",
    report: Reporter,
    options: Options,
    scope: trio.CancelScope,
) -> None:
    """Start the function; with ``--reload``, restart it when a file changes.

    For a MicroVM, cancel ``scope`` once it has ended.

    Raises:
        SetupError: it can't be started.
    """
    if not isinstance(session, Session):
        await session.live(report)
        scope.cancel()
    elif options.reload:
        await Reload(session, options, report).run()
    else:
        await session.start()


async def _wait_signal(signals: AsyncIterator[int], report: Reporter) -> None:
    """Wait for a signal; a terminal prints ^C for SIGINT."""
    async for number in signals:
        if number == signal.SIGINT and sys.stdout.isatty():
            report.interrupted()
        return
