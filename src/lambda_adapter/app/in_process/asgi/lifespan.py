"""An ASGI application's startup and shutdown, once for an environment.

https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from collections import deque

import trio

from lambda_adapter.app.in_process.asgi.host import (
    Application,
    Cancelled,
    Gate,
    Host,
    Message,
    Scope,
)
from lambda_adapter.errors import AppNotReadyError
from lambda_adapter.observe.logs import log

_VERSION = {"version": "3.0", "spec_version": "2.0"}


class Lifespan:
    """The application's one call with a lifespan scope, for as long as it runs."""

    def __init__(self, host: Host, app: Application) -> None:
        self._host = host
        self._app = app
        self.state: dict[str, object] = {}
        """Written by the application; each request gets a copy."""
        self.supported = True
        self._failure: str | None = None
        self._said: deque[Message] = deque()
        self._listening: Gate | None = None
        self._started = trio.Event()
        self._stopped = trio.Event()

    async def start(self) -> None:
        """Start the application up, if it supports a lifespan.

        Raises:
            AppNotReadyError: it reports that its startup failed.
        """
        scope: Scope = {
            "type": "lifespan",
            "asgi": _VERSION.copy(),
            "state": self.state,
        }
        app = self._app
        self._say("lifespan.startup")
        self._host.start(lambda: app(scope, self._receive, self._send), self._ended)
        await self._started.wait()
        if self._failure is not None:
            reason = self._failure or "it does not say why"
            raise AppNotReadyError(f"the application's startup failed: {reason}")

    async def stop(self) -> None:
        """Shut the application down, if it has started up, and wait for that."""
        has_started = self._started.is_set() and self._failure is None
        if has_started and not self._stopped.is_set():
            self._say("lifespan.shutdown")
            self._host.wake()
            await self._stopped.wait()

    def _say(self, kind: str) -> None:
        self._said.append({"type": kind})
        if self._listening:
            self._listening.open()

    async def _receive(self) -> Message:
        while not self._said:
            self._listening = self._host.gate()
            await self._listening.wait()
        return self._said.popleft()

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._started.set()
            case "lifespan.startup.failed":
                self._failure = str(message.get("message", ""))
                self._started.set()
            case "lifespan.shutdown.failed":
                log.error(
                    "the application's shutdown failed: %s", message.get("message", "")
                )
                self._stopped.set()
            case "lifespan.shutdown.complete":
                self._stopped.set()
            case kind:
                raise RuntimeError(f"unexpected {kind}")

    def _ended(self, error: BaseException | None) -> None:
        # It ended without a message, so it does not know this scope. An exception is
        # the way in which the specification lets it say so; Django and others just
        # return.
        if not self._started.is_set():
            self.supported = False
            if error is not None and not isinstance(error, Cancelled):
                log.warning(
                    "the application has no lifespan, because it raised %r", error
                )
        elif error is not None and self._failure is None:
            log.error("the application's lifespan failed", exc_info=error)
        self._started.set()
        self._stopped.set()
