"""An application on Lambda, for tests: a client, and what became of it all. Shell."""

import os
import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Unpack

import httpx
import msgspec

from lambda_adapter.local.desk import DeskError
from lambda_adapter.local.function import free_ports
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.option_table import AppOptions, read_given
from lambda_adapter.local.portal import Portal, opened_in_thread
from lambda_adapter.local.prepare import make_options
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


@contextmanager
def open_app(
    command: str | Sequence[str], **given: Unpack[AppOptions]
) -> Iterator[LambdaApp]:
    """Run a web application as a Lambda function behind a gateway.

    Raises:
        DeskError: it can't be started, and why.
        BadOptionError: an option does not exist, or has a value that it can't have.
    """
    own = {name: value for name, value in given.items() if name not in {"env", "cwd"}}
    words = shlex.split(command) if isinstance(command, str) else command
    options = make_options(
        words,
        read_given({"app_port": free_ports(1)[0], **own, "port": 0}),
        {**os.environ, **given.get("env", {})},
        given.get("cwd"),
    )

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
