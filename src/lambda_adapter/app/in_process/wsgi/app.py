"""A WSGI application in this process, as an ``App``."""

from typing import cast

import trio

from lambda_adapter.app.app import Transport
from lambda_adapter.app.in_process import forked
from lambda_adapter.app.in_process.importer import arm_watchdog, load
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.watchdog import Watchdog, watch_init
from lambda_adapter.app.in_process.wsgi.exchange import Application
from lambda_adapter.app.in_process.wsgi.transport import WSGITransport
from lambda_adapter.config import Config
from lambda_adapter.observe.logs import log


class WSGIApp:
    """The constructor imports the application, which is then ready."""

    extension_name = "lambda-adapter-runtime"

    def __init__(self, config: Config) -> None:
        self._config = config
        end_watch = watch_init(config.wsgi_app or "")
        self._app = _import_app(config)
        forked.watch()
        end_watch()

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Set ``ready`` immediately, and wait until cancelled."""
        log.info("the application is ready")
        ready.set()
        try:
            await trio.sleep_forever()
        finally:
            arm_watchdog()

    def open_transport(self) -> Transport:
        """Return a transport for one invoke loop."""
        several = self._config.is_concurrent
        inline = self._config.wsgi_inline and not several
        return WSGITransport(
            self._app,
            Function(self._config),
            self._config.remove_base_path or "",
            multithread=several,
            inline=inline,
            watchdog=Watchdog(self._config.deadline_margin) if inline else None,
        )

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: a hook failed.
        """
        from lambda_adapter.app.in_process.snapshot import suspend

        await suspend(self._config, self.open_transport())

    async def resume(self) -> None:
        """Continue after a snapshot was restored.

        Raises:
            AfterRestoreError: a hook failed.
        """
        from lambda_adapter.app.in_process.snapshot import resume

        await resume(self._config, self.open_transport())


def _import_app(config: Config) -> Application:
    return cast("Application", load(config.wsgi_app or "", config, "wsgi"))
