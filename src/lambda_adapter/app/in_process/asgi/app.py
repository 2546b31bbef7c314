"""An ASGI application in this process, as an ``App``."""

import math
from typing import cast

import trio

from lambda_adapter.app.app import Transport
from lambda_adapter.app.in_process import forked
from lambda_adapter.app.in_process.asgi.host import Application, Host
from lambda_adapter.app.in_process.asgi.lifespan import Lifespan
from lambda_adapter.app.in_process.asgi.transport import ASGITransport
from lambda_adapter.app.in_process.importer import LONGEST, arm_watchdog, load
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.watchdog import Watchdog, watch_init
from lambda_adapter.app.process import grace
from lambda_adapter.config import Config
from lambda_adapter.errors import AppNotReadyError
from lambda_adapter.observe.logs import log


class ASGIApp:
    """The constructor imports the application; ``run`` is its lifespan."""

    extension_name = "lambda-adapter-runtime"

    def __init__(self, config: Config) -> None:
        self._config = config
        # Before the application is imported: trio-asyncio replaces functions of
        # asyncio, and a module that has imported one of them would keep the original.
        self._host = open_host(config.asgi_loop)
        self._name = config.asgi_app or ""
        self._end_watch = watch_init(self._name)
        app = cast("Application", load(self._name, config, "asgi"))
        self._app = app
        forked.watch()
        self._lifespan = Lifespan(self._host, app)

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Start the application up, and shut it down at the end.

        Raises:
            AppNotReadyError: its startup failed, or took too long.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(self._host.run)
            try:
                await self._start()
                ready.set()
                await trio.sleep_forever()
            finally:
                # Twice bounded: trio waits for ``patience``, and Linux ends the process
                # if the application blocks the thread in which trio waits.
                patience = grace(locally=self._config.is_local)
                arm_watchdog(max(LONGEST, 1.2 * patience))
                with trio.move_on_after(patience, shield=True) as limit:
                    await self._lifespan.stop()
                if limit.cancelled_caught:
                    log.warning("the application did not shut down in time")
                self._host.close()

    async def _start(self) -> None:
        seconds = self._config.readiness_timeout or math.inf
        with trio.move_on_after(seconds) as limit:
            await self._lifespan.start()
        if limit.cancelled_caught:
            raise AppNotReadyError(
                f"the application's startup was not complete after {seconds:g} s"
            )
        self._end_watch()
        log.info("the application is ready")

    def open_transport(self) -> Transport:
        """Return a transport for one invoke loop."""
        return ASGITransport(
            self._host,
            self._app,
            Function(self._config),
            self._config.remove_base_path or "",
            self._lifespan.state if self._lifespan.supported else None,
            Watchdog(self._config.deadline_margin),
        )

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: a hook failed, or the application can't be
                snapshotted.
        """
        from lambda_adapter.app.in_process.snapshot import suspend

        await suspend(self._config, self.open_transport())

    async def resume(self) -> None:
        """Continue after a snapshot was restored.

        Raises:
            AfterRestoreError: the application can't continue.
        """
        from lambda_adapter.app.in_process.snapshot import resume

        await resume(self._config, self.open_transport())


def open_host(loop: str) -> Host:
    """Return the configured host, and import no other."""
    match loop:
        case "trio":
            from lambda_adapter.app.in_process.asgi.host_trio import TrioHost

            return TrioHost()
        case "trio-asyncio":
            from lambda_adapter.app.in_process.asgi.host_trio_asyncio import (
                TrioAsyncioHost,
            )

            return TrioAsyncioHost()
    from lambda_adapter.app.in_process.asgi.host_asyncio import AsyncioHost

    return AsyncioHost()
