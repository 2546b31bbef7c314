"""Applications that are servers: a child of this process, or started by Lambda itself.

Both have a client, transports, and SnapStart's hooks. Only of a child can the adapter
see that it has exited.
"""

from __future__ import annotations

import math
import os
import sys

import trio

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.process import LAST_MOMENT, AppProcess
from lambda_adapter.app.procfs import has_children
from lambda_adapter.app.readiness import wait_app_ready
from lambda_adapter.errors import (
    AfterRestoreError,
    AppNotReadyError,
    AppRequestError,
    BeforeCheckpointError,
)
from lambda_adapter.launcher import Child, acquire_lock
from lambda_adapter.observe.logs import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_adapter.app.liveness import Liveness
    from lambda_adapter.config import Config
    from lambda_adapter.http.messages import Request, Response


class Readiness:
    """Whether the application is ready for its first request, or gave up."""

    def __init__(self) -> None:
        self.decided = trio.Event()
        self.failure: AppNotReadyError | None = None
        """Why it never will be ready, once that is decided."""
        self.latest = "no check has ended yet"
        """What the latest check saw."""

    def set_ready(self) -> None:
        """Let requests reach the application."""
        self.decided.set()

    def set_failed(self, failure: AppNotReadyError) -> None:
        """Let requests fail, those that wait and all later ones."""
        self.failure = failure
        self.decided.set()


class AfterReady(Middleware):
    """Delays requests until the application is ready."""

    def __init__(self, transport: Transport, readiness: Readiness) -> None:
        super().__init__(transport)
        self._readiness = readiness

    async def send(self, request: Request, call: Call) -> Response:
        """Wait until the application is ready, then send.

        Raises:
            DeadlineError: it was not ready before the deadline.
            AppRequestError: it gave up.
        """
        readiness = self._readiness
        if not readiness.decided.is_set():
            with trio.move_on_at(call.deadline):
                await readiness.decided.wait()
        if not readiness.decided.is_set():
            raise call.late(f"the application was not ready ({readiness.latest})")
        if readiness.failure:
            failure = AppRequestError(str(readiness.failure))
            failure.advice = ""  # its text ends in advice
            raise failure
        return await self._transport.send(request, call)

    async def finish(self, deadline: float) -> None:
        """Finish, but not if the application gave up: no other event would succeed."""
        if self._readiness.failure:
            await trio.sleep_forever()  # the environment ends in a moment
        await self._transport.finish(deadline)


POLL = 0.01
"""Seconds between two checks whether the application has exited in a hook."""

ASYNC_INIT_TIMEOUT = 9.8
"""Seconds after which init ends, ready or not: after 10 s, Lambda would repeat it
during the first invocation.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""


class ServerApp:
    """The common base of both kinds of server."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client = HttpTransport(
            config.app_address,
            config.pool_idle_timeout,
            server=self,
            waits_in_kernel=not config.is_concurrent,
        )
        self._readiness = Readiness()
        self._process: AppProcess | None = None
        self._usual = math.inf
        """Seconds that the successful readiness check took."""
        self._liveness: Liveness | None = None
        self._nursery: trio.Nursery | None = None

    def open_transport(self) -> Transport:
        """Return a transport for one invoke loop."""
        transport = self._client.open_transport()
        if not self._config.inits_async:
            return transport

        return AfterReady(transport, self._readiness)

    def ended(self) -> str | None:
        """Return how the application's process exited, or None."""
        return self._process.ended() if self._process else None

    def ask_ahead(self) -> None:
        """Send a probe, because a response is about to be late."""
        if self._nursery:
            self._open_liveness().ask_ahead(self._nursery)

    async def find_stuck(self, call: Call) -> str | None:
        """After a late response, return why another request would get none, or None."""
        liveness = self._open_liveness()
        if await liveness.responds(call.started, call.left()):
            return None
        return liveness.describe_silence()

    def _open_liveness(self) -> Liveness:
        from lambda_adapter.app.liveness import Liveness

        # With concurrent invocations, each late one gets its own probe.
        if self._liveness is None or self._config.is_concurrent:
            self._liveness = Liveness(self._config, self._usual)
        return self._liveness

    async def wait_recovered(self, call: Call) -> None:
        """After a dropped connection, wait until it has exited, or responds again.

        If it has exited, this waits until it is cancelled, so that no other event is
        requested: that would get no response.
        """
        await trio.sleep(LAST_MOMENT)
        if self._process and not self.ended() and has_children(self._process.pid):
            from lambda_adapter.app.liveness import wait_response

            await wait_response(self._config, call.left())
        if self.ended():
            await trio.sleep_forever()

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: the application's hook failed.
        """
        from lambda_adapter.app.snapstart import suspend_server

        try:
            await suspend_server(self._config, self._client)
        except BeforeCheckpointError as error:
            raise BeforeCheckpointError(await self._with_end(str(error))) from error

    async def resume(self) -> None:
        """Continue after a snapshot was restored.

        Raises:
            AfterRestoreError: the application can't continue.
        """
        from lambda_adapter.app.snapstart import resume_server

        try:
            await resume_server(self._config, self._wait_ready)
        except AfterRestoreError as error:
            raise AfterRestoreError(await self._with_end(str(error))) from error

    async def _with_end(self, failure: str) -> str:
        """Add to the failure of a hook how the application has exited, if it has."""
        # Not the whole moment, if it has exited: then ``watch`` would report that, and
        # not the hook.
        with trio.move_on_after(LAST_MOMENT):
            while not self.ended():  # noqa: ASYNC110 - as often as the other waits
                await trio.sleep(POLL)
        how = self.ended()
        is_new = how and how not in failure
        return f"{failure}; the application {how}" if is_new else failure

    async def _wait_ready(self) -> None:
        self._usual = await wait_app_ready(self._config, self._process, self._note)

    def _note(self, seen: str) -> None:
        self._readiness.latest = seen

    async def _wait_first_ready(self, ready: trio.Event, exited: trio.Event) -> None:
        """Wait until the application is ready for its first request.

        Raises:
            AppNotReadyError: it never will be. If Lambda's init has ended, requests
                that wait for it have failed by now.
        """
        try:
            await self._wait_ready()
        except AppNotReadyError as error:
            error.is_late = ready.is_set()
            if error.is_late:
                exited.set()
                self._readiness.set_failed(error)
                await trio.sleep(LAST_MOMENT)
            raise
        self._readiness.set_ready()

    async def _let_init_end(self, ready: trio.Event) -> None:
        """Set ``ready`` once the application is, or just before init times out."""
        seconds = ASYNC_INIT_TIMEOUT if self._config.inits_async else math.inf
        with trio.move_on_after(seconds):
            await self._readiness.decided.wait()
        ready.set()


class ChildApp(ServerApp):
    """An application that the adapter started."""

    extension_name = "lambda-adapter-runtime"
    """Not an extension's file name, since the image may also have the adapter as one,
    and Lambda accepts each name only once.
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#extensions-registration-api-a"""

    def __init__(self, config: Config, child: Child) -> None:
        super().__init__(config)
        self._child = child

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Wait until the application is ready, then watch it; end it when cancelled.

        Raises:
            InitError: it can't be started, or did not become ready.
            AppExitedError: it exited while it was serving.
        """
        locally = self._config.is_local
        async with AppProcess(self._child, locally=locally) as self._process:
            self._child.wait_started()
            async with trio.open_nursery() as self._nursery:
                self._nursery.start_soon(self._let_init_end, ready)
                await self._wait_first_ready(ready, exited)
                await self._process.watch(exited)


class AttachedApp(ServerApp):
    """An application that Lambda started; the adapter runs as an extension."""

    extension_name = os.path.basename(sys.argv[0])
    """An external extension must register under its file name."""

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Wait until the application is ready, and take the lock for its events.

        If the image's entry point is an adapter too, that one took the lock before it
        started the application. Then this one only waits for SIGTERM.

        Raises:
            AppNotReadyError: the application was not ready before the timeout.
        """
        init_may_end = trio.Event()
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._let_init_end, init_may_end)
            self._nursery.start_soon(self._claim, init_may_end, ready)
            await self._wait_first_ready(ready, exited)
            await trio.sleep_forever()

    async def _claim(self, init_may_end: trio.Event, ready: trio.Event) -> None:
        await init_may_end.wait()
        if acquire_lock():
            ready.set()
        else:
            log.info(
                "another adapter in this image is serving; this one only waits for"
                " SIGTERM"
            )
