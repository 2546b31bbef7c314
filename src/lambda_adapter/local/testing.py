"""Run an application behind a gateway for tests, in a separate thread."""

import os
import shlex
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from http.cookiejar import Cookie, CookieJar
from typing import ParamSpec, TypeVar, Unpack

import httpx
import msgspec
import trio

from lambda_adapter.config import Config
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.option_table import AppOptions
from lambda_adapter.local.ports import free_ports
from lambda_adapter.local.prepare import make_options
from lambda_adapter.local.read_options import BadOptionError, read_given
from lambda_adapter.local.report import LastLines
from lambda_adapter.local.session import Session, listen, open_session

Opened = TypeVar("Opened")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Portal:
    """Calls functions in a trio loop that runs in another thread."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token

    def run(
        self,
        function: Callable[Arguments, Awaitable[Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Run a function in the loop, and return its result.

        Unlike ``trio.from_thread.run``, this works in a thread that runs its own loop,
        which is blocked meanwhile.
        """
        future: Future[Result] = Future()

        async def call() -> None:
            try:
                future.set_result(await function(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise

        self._token.run_sync_soon(trio.lowlevel.spawn_system_task, call)
        return future.result()

    def call_soon(self, function: Callable[[], None]) -> None:
        """Let the loop call a function, without waiting for it."""
        self._token.run_sync_soon(function)


@contextmanager
def opened_in_thread(
    context: Callable[[], AbstractAsyncContextManager[Opened]],
) -> Iterator[tuple[Opened, Portal]]:
    """Run an async context manager in a thread, for synchronous callers.

    An exception that is raised while it opens is raised here.
    """
    opened: Future[tuple[Opened, Portal]] = Future()
    closing = trio.Event()

    async def main() -> None:
        async with context() as value:
            portal = Portal(trio.lowlevel.current_trio_token())
            opened.set_result((value, portal))
            await closing.wait()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=run, name="lambda-adapter local")
    thread.start()
    try:
        value, portal = opened.result()
    except BaseException:
        thread.join()
        raise
    try:
        yield value, portal
    finally:
        portal.call_soon(closing.set)
        thread.join()


DEFAULTS = {"allowed_hosts": ["*"]}
"""Defaults that differ in tests: their client may send any ``Host``."""

LAST_LINES = 2.0
"""Seconds to wait for the end of an invocation whose test has failed."""

CLIENT_TIMEOUT = 60.0
"""Timeout of a request in seconds: longer than any gateway's."""


class _InsecureCookieJar(CookieJar):
    """Sends ``Secure`` cookies over HTTP, as a client of an HTTPS gateway does.

    Most gateways speak only HTTPS, and this one stands in for them. httpx copies
    cookies into its own jars, so the cookie itself has to be changed.
    """

    def set_cookie(self, cookie: Cookie) -> None:
        """Store a cookie."""
        cookie.secure = False
        super().set_cookie(cookie)


class LambdaApp(httpx.Client):
    """A client of the gateway in front of an application, with its invocations."""

    def __init__(self, session: Session, portal: Portal) -> None:
        super().__init__(
            base_url=session.url, timeout=CLIENT_TIMEOUT, cookies=_InsecureCookieJar()
        )
        self._function = session.function
        self.page_url = session.page_url
        """The address of the page of invocations, for a browser."""
        self._portal = portal

    @property
    def config(self) -> Config:
        """The adapter's configuration."""
        return self._function.options.config

    def __repr__(self) -> str:
        return f"<LambdaApp {self._function.shown} at {self.base_url}>"

    @property
    def invocations(self) -> list[Invocation]:
        """The invocations, latest first, without refused requests."""
        return self._portal.run(self._list)

    @property
    def last(self) -> Invocation:
        """The latest invocation, once it is complete.

        Raises:
            LookupError: there was none.
        """
        __tracebackhide__ = True
        invocations = self.invocations
        if not invocations:
            raise LookupError("no invocation yet")
        self._portal.run(invocations[0].told.wait)
        return invocations[0]

    async def _list(self) -> list[Invocation]:
        return [each for each in self._function.records if not each.is_refused]

    def invoke(self, event: object) -> Invocation:
        """Send the function an event; return its invocation once it is complete."""
        payload = msgspec.json.encode(event)
        invocation = self._portal.run(self._function.invoke, payload)
        self._portal.run(invocation.told.wait)
        return invocation

    def describe_since(self, number: int) -> str:
        """Return the log of the invocations after a given one, for a test's report."""
        return self._portal.run(self._describe_since, number)

    async def _describe_since(self, number: int) -> str:
        lines: list[str] = []
        for invocation in reversed(list(self._function.records)):
            if invocation.number > number:
                with trio.move_on_after(LAST_LINES):
                    await invocation.told.wait()
                lines += [repr(invocation), *(f"  {line}" for line in invocation.lines)]
        return "\n".join(lines)


@contextmanager
def open_app(
    command: str | Sequence[str], **given: Unpack[AppOptions]
) -> Iterator[LambdaApp]:
    """Run a web application as a Lambda function behind a gateway.

    Raises:
        SetupError: it can't be started; the message has the reason.
        BadOptionError: an option does not exist, or its value is invalid.
    """
    own = {name: value for name, value in given.items() if name not in {"env", "cwd"}}
    words = shlex.split(command) if isinstance(command, str) else command
    options = make_options(
        words,
        read_given(DEFAULTS | {"app_port": free_ports(1)[0], **own, "port": 0}),
        {**os.environ, **given.get("env", {})},
        given.get("cwd"),
    )

    if not options.command and not options.config.is_in_process:
        raise BadOptionError("no application: name a command, or --asgi or --wsgi")
    if options.microvm:
        raise BadOptionError("for a MicroVM, use the fixture lambda_microvm")

    @asynccontextmanager
    async def started() -> AsyncIterator[Session]:
        report = LastLines()
        async with open_session(options, report, listen(options.port)) as session:
            with report.added_to_errors():
                await session.start()
            yield session

    with (
        opened_in_thread(started) as (session, portal),
        LambdaApp(session, portal) as app,
    ):
        yield app
