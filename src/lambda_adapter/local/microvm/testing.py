"""Run a MicroVM for tests, with an HTTP client and Lambda's operations."""

import os
import shlex
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Unpack

import httpx

from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.microvm.session import MicroVMSession, open_microvm
from lambda_adapter.local.option_table import MicroVMOptions
from lambda_adapter.local.ports import free_ports
from lambda_adapter.local.prepare import make_options
from lambda_adapter.local.read_options import read_given
from lambda_adapter.local.report import LastLines
from lambda_adapter.local.session import listen
from lambda_adapter.local.testing import (
    CLIENT_TIMEOUT,
    DEFAULTS,
    Portal,
    opened_in_thread,
)


class MicroVMApp(httpx.Client):
    """A client of an application in a MicroVM, and the calls of its hooks."""

    def __init__(self, session: MicroVMSession, portal: Portal) -> None:
        super().__init__(base_url=session.url, timeout=CLIENT_TIMEOUT)
        self._microvm = session.microvm
        self._portal = portal
        self.page_url = session.page_url
        """The address of the page of hooks, for a browser."""

    def __repr__(self) -> str:
        return f"<MicroVMApp {self._microvm.options.shown} at {self.base_url}>"

    @property
    def id(self) -> str:
        """The MicroVM's ID, which its hooks get."""
        return self._microvm.id

    @property
    def state(self) -> str:
        """One of ``building``, ``running``, ``suspended``, ``terminated``."""
        return self._microvm.state

    @property
    def invocations(self) -> list[Invocation]:
        """The calls of hooks, latest first."""
        return self._portal.run(self._list)

    def suspend(self) -> Invocation:
        """Suspend it, and return the call of the hook.

        Raises:
            WrongStateError: it is not running.
        """
        return self._portal.run(self._microvm.suspend)

    def resume(self) -> Invocation:
        """Resume it, and return the call of the hook; a request does so as well.

        Raises:
            WrongStateError: it is not suspended.
            SetupError: the hook failed, and the MicroVM has ended.
        """
        return self._portal.run(self._microvm.resume)

    def terminate(self) -> Invocation:
        """Terminate it, and return the call of the hook, once every process has ended.

        Raises:
            WrongStateError: it was terminated before.
        """
        return self._portal.run(self._microvm.terminate)

    def describe_since(self, number: int) -> str:
        """Return the calls of hooks after a given one, with the log."""
        return self._portal.run(self._describe_since, number)

    async def _list(self) -> list[Invocation]:
        return [each for each in self._microvm.rows.records if not each.is_refused]

    async def _describe_since(self, number: int) -> str:
        lines: list[str] = []
        for row in reversed(await self._list()):
            if row.number > number:
                lines += [repr(row), *(f"  {line}" for line in row.lines)]
        return "\n".join(lines)


@contextmanager
def open_microvm_app(
    command: str | Sequence[str], **given: Unpack[MicroVMOptions]
) -> Iterator[MicroVMApp]:
    """Build a web application's image, and run it as a MicroVM.

    Raises:
        SetupError: it can't be built or run; the message has the reason.
        BadOptionError: an option does not exist, or its value is invalid.
    """
    own = {name: value for name, value in given.items() if name not in {"env", "cwd"}}
    chosen = {"app_port": free_ports(1)[0], **own, "port": 0, "microvm": True}
    options = make_options(
        shlex.split(command) if isinstance(command, str) else command,
        read_given(DEFAULTS | chosen),
        {**os.environ, **given.get("env", {})},
        given.get("cwd"),
    )

    @asynccontextmanager
    async def started() -> AsyncIterator[MicroVMSession]:
        report = LastLines()
        async with open_microvm(options, report, listen(options.port)) as session:
            with report.added_to_errors():
                await session.microvm.start()
            yield session

    with (
        opened_in_thread(started) as (session, portal),
        MicroVMApp(session, portal) as app,
    ):
        yield app
