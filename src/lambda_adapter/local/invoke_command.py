"""``lambda-adapter local invoke``: send a function one event."""

import json
import os
import sys
from typing import IO, BinaryIO

import click
import httpx
import msgspec
import trio
from rich.console import Console

from lambda_adapter.errors import EventError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
from lambda_adapter.local.cli_options import (
    SETTINGS,
    VERSION,
    WordedOption,
    click_options,
    read_click,
)
from lambda_adapter.local.event_text import describe_encoding, read_event_text
from lambda_adapter.local.invoke_api import PATH
from lambda_adapter.local.options import Options
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.prepare import make_options
from lambda_adapter.local.reporters import ConsoleReporter
from lambda_adapter.local.samples import KINDS, sample
from lambda_adapter.local.session import listen, open_session

TIMEOUT = 960.0
"""Timeout in seconds for a reply: a function may take 900."""

EPILOG = """\
\b
lambda-adapter local invoke --kind sqs -- gunicorn app:app
lambda-adapter local invoke --kind http-api --path '/?name=Ada' --asgi main:app
lambda-adapter local invoke --event event.json    to a function that runs already

Exit status: 0 if the invocation succeeded, 1 if it failed or the function can't be run,
64 if the command line is invalid.
"""


def invoke(
    command: tuple[str, ...],
    *,
    event: BinaryIO | None,
    kind: str | None,
    path: str,
    port: int,
    **given: object,
) -> int:
    """Send an event to a running function, or start one for it."""
    if (event is None) == (kind is None):
        raise click.UsageError("Name an event: either --event FILE or --kind KIND.")
    payload = (
        _read_event(event) if event else msgspec.json.encode(sample(kind or "", path))
    )
    report = ConsoleReporter(Console(stderr=True))
    options = read_click(given)
    try:
        if not (command or options.asgi or options.wsgi):
            url = f"http://127.0.0.1:{port}"
            return trio.run(_send, url, payload)
        made = make_options(command, options, os.environ)
        return trio.run(_run_invocation, made, report, payload)
    except SetupError as error:
        report.failure(str(error))
        return 1


def _read_event(event: BinaryIO) -> bytes:
    """Return a file's event as UTF-8; an empty file is left to the Invoke API.

    Raises:
        BadParameter: the file is not text in a supported encoding, or not JSON, which
            Lambda would refuse as well.
    """
    text = event.read()
    try:
        payload = read_event_text(text)
        if payload.strip():
            json.loads(payload)
    except UnicodeDecodeError as error:
        message = f"{event.name}: {describe_encoding(text) or 'not UTF-8'} ({error})"
        raise click.BadParameter(message, param_hint="'--event'") from error
    except json.JSONDecodeError as error:
        message = f"{event.name} is not JSON: {error}"
        raise click.BadParameter(message, param_hint="'--event'") from error
    return payload


class EventFile(click.File):
    """A file with an event; the name of an example event is a mistake here."""

    def convert(
        self,
        value: str | os.PathLike[str] | IO[bytes],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> IO[bytes]:
        """Open the file."""
        if value in KINDS and not os.path.exists(str(value)):
            self.fail(f"{value!r} is a kind of event: --kind {value}", param, ctx)
        return super().convert(value, param, ctx)


async def _run_invocation(
    options: Options, report: ConsoleReporter, payload: bytes
) -> int:
    async with open_session(options, report, listen(0)) as session:
        await session.start()
        report.notice(_request_of(payload))
        status = await _send(session.url, payload)
        for invocation in session.function.records:
            await invocation.told.wait()
        return status


async def _send(url: str, payload: bytes) -> int:
    """Send an event, print the reply, and return 1 if the invocation failed.

    Raises:
        SetupError: no function runs there.
    """
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            response = await client.post(url + PATH, content=payload)
    except httpx.TransportError as error:
        raise SetupError(
            f"no function at {url} ({error}): start one with"
            " `lambda-adapter local -- COMMAND`, or name its COMMAND here"
        ) from error
    _print_reply(response.content)
    failed = response.is_error or "x-amz-function-error" in response.headers
    return 1 if failed else 0


def _print_reply(reply: bytes) -> None:
    """Print a reply unchanged; for people, indent its JSON."""
    if sys.stdout.isatty():
        try:
            reply = msgspec.json.format(reply, indent=2)
        except msgspec.DecodeError:
            reply = reply.replace(bytes(8), b"\n\n")
    click.echo(reply)


def _request_of(payload: bytes) -> str:
    """Return the request that the application would get, in one line."""
    try:
        kind = classify(payload)
        request = kind.decode(payload).request(Context(b"{}"))
    except EventError as error:
        return f"request  none: {error}"
    name = kind.__name__.removesuffix("Event")
    return f"request  {request.method.decode()} {request.target.decode()}  ({name})"


COMMAND = click.Command(
    "invoke",
    SETTINGS,
    callback=invoke,
    params=[
        click.Option(
            ["--event"],
            type=EventFile("rb"),
            help="A file with the event; - is standard input.",
        ),
        click.Option(
            ["--kind"],
            type=click.Choice(KINDS),
            metavar="KIND",
            help=f"An example event: {', '.join(KINDS)}.",
        ),
        click.Option(
            ["--path"],
            default="/",
            show_default=True,
            help="The path, and query, of an HTTP event's example.",
        ),
        WordedOption(
            ["--port"],
            type=click.IntRange(1, 65_535),
            default=9000,
            show_default=True,
            metavar="PORT",
            help="Where a function runs already, if there is no COMMAND.",
        ),
        *click_options(only_invoke=True),
        VERSION,
        click.Argument(["command"], nargs=-1, metavar="[COMMAND [ARG]...]"),
    ],
    help="Send a function one event, and print its reply."
    " With a COMMAND, start that as the function, and end it afterwards.",
    epilog=EPILOG,
    options_metavar="[OPTIONS] [--]",
)
