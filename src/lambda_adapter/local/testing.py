"""An application on Lambda, for tests: a client, and what became of it all. Shell."""

import os
import shlex
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypedDict, Unpack

import httpx
import msgspec

from lambda_adapter.local.command_line import check
from lambda_adapter.local.desk import DeskError
from lambda_adapter.local.function import free_ports
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.options import Options, function_environ, read_command
from lambda_adapter.local.portal import Portal, opened_in_thread
from lambda_adapter.local.report import Silence
from lambda_adapter.local.session import Session, listen, open_session

MAX_LINES = 50
"""Lines of the log that are shown when an application does not start."""

CLIENT_TIMEOUT = 60.0
"""Seconds that a request may take: more than a gateway has."""


class LambdaApp(httpx.Client):
    """A client of the gateway before an application."""

    def __init__(self, session: Session, portal: Portal) -> None:
        super().__init__(base_url=session.url, timeout=CLIENT_TIMEOUT)
        self._function = session.function
        self.page_url = session.page_url
        """Where a browser shows the invocations."""
        self._portal = portal

    @property
    def invocations(self) -> list[Invocation]:
        """The invocations, the latest first."""
        return self._portal.run(self._list)

    @property
    def last(self) -> Invocation:
        """The latest invocation, once it is over.

        Raises:
            LookupError: there was none.
        """
        invocations = self.invocations
        if not invocations:
            raise LookupError("no invocation yet")
        self._portal.run(invocations[0].told.wait)
        return invocations[0]

    async def _list(self) -> list[Invocation]:
        return list(self._function.records)

    def invoke(self, event: object) -> Invocation:
        """Send the function an event, and return what became of it."""
        payload = msgspec.json.encode(event)
        invocation = self._portal.run(self._function.invoke, payload)
        self._portal.run(invocation.told.wait)
        return invocation


class _LastLines(Silence):
    """Keeps the log's end, for when an application does not start."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        """Keep a line."""
        self.lines = [*self.lines, text][-MAX_LINES:]


class AppOptions(TypedDict, total=False):
    """What there is to say of a function and its gateway; see ``local --help``."""

    event: str
    invoke_mode: str
    stage: str
    binary_media_types: Sequence[str]
    app_port: int
    """Where the application listens; otherwise on ``$PORT``, which is a free one."""
    timeout: float
    environments: int
    concurrency: int
    cold: bool
    freeze: bool
    env: Mapping[str, str]
    """Variables beside those of this process."""
    cwd: str


@contextmanager
def open_app(
    command: str | Sequence[str], **given: Unpack[AppOptions]
) -> Iterator[LambdaApp]:
    """Run a web application as a Lambda function behind a gateway.

    Raises:
        DeskError: it can't be started, and why.
        TypeError: there is no such option.
    """
    if unknown := given.keys() - AppOptions.__annotations__.keys():
        raise TypeError(f"unknown option: {min(unknown)}")
    words = shlex.split(command) if isinstance(command, str) else command
    words, environ = read_command(words, {**os.environ, **given.get("env", {})})
    options = Options(
        tuple(words),
        function_environ(
            environ,
            app_port=given.get("app_port") or free_ports(1)[0],
            invoke_mode=given.get("invoke_mode"),
        ),
        event=given.get("event", "http-api"),
        stage=given.get("stage", "$default"),
        binary_media_types=tuple(given.get("binary_media_types", ())),
        port=0,
        timeout=given.get("timeout", 30),
        freeze=given.get("freeze", False),
        cold=given.get("cold", False),
        environments=given.get("environments", 1),
        concurrency=given.get("concurrency", 1),
        cwd=given.get("cwd"),
    )
    check(options)

    @asynccontextmanager
    async def started() -> AsyncIterator[Session]:
        report = _LastLines()
        async with open_session(options, report, listen(options.port)) as session:
            try:
                await session.start()
            except DeskError as error:
                message = "\n".join([str(error), *report.lines])
                raise DeskError(message) from error
            yield session

    with (
        opened_in_thread(started) as (session, portal),
        LambdaApp(session, portal) as app,
    ):
        yield app
