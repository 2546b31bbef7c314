"""A WSGI application in this process, as an ``App``. Shell."""

from typing import cast

import trio

from lambda_adapter.apps.app import Seat
from lambda_adapter.apps.last_resort import exit_within
from lambda_adapter.apps.loading import load
from lambda_adapter.apps.wsgi.exchange import Application
from lambda_adapter.apps.wsgi.seat import WsgiSeat
from lambda_adapter.config import Config
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.lambda_context import Function


class WsgiApp:
    """Imported when this is made; there is no more to its start."""

    extension_name = "lambda-adapter-runtime"

    def __init__(self, config: Config) -> None:
        self._config = config
        self._app = _import(config)

    async def run(self, ready: trio.Event) -> None:
        """Be ready at once, until the end."""
        log.info("the application is ready")
        ready.set()
        try:
            await trio.sleep_forever()
        finally:
            exit_within()

    def open_seat(self) -> Seat:
        """Return a seat for one invoke loop."""
        several = self._config.max_concurrency > 1
        return WsgiSeat(
            self._app,
            Function(self._config),
            self._config.remove_base_path or "",
            multithread=several,
            inline=self._config.wsgi_inline and not several,
        )

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: the application is not fit for one.
        """
        from lambda_adapter.apps.hooked import suspend

        await suspend(self._config, self.open_seat())

    async def resume(self) -> None:
        """Go on after a snapshot was restored.

        Raises:
            AfterRestoreError: the application is not fit to go on.
        """
        from lambda_adapter.apps.hooked import resume

        await resume(self._config, self.open_seat())


def _import(config: Config) -> Application:
    return cast("Application", load(config.wsgi_app or "", config))
