"""AWS_LWA_METRICS: measure an application's start, restores and responses."""

import trio

from lambda_adapter.app.app import App, Call, Middleware, Transport
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.metrics import seconds_since_exec, write_line


class MetricsCall(Call):
    """A call that adds up times and retries."""

    application: float = 0
    """Seconds spent waiting for the application."""
    retries: int = 0

    def sent_again(self) -> None:
        """Count a retry."""
        self.retries += 1


class MetricsApp:
    """An application that writes the times of its start and of each restore."""

    def __init__(self, app: App, function_name: str) -> None:
        self._app = app
        self._about = {"FunctionName": function_name}

    @property
    def extension_name(self) -> str:
        """The wrapped application's name."""
        return self._app.extension_name

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Run the wrapped application, and write how long it took to become ready.

        Raises:
            InitError: the application did not become ready.
            FatalError: the application exited while it was serving.
        """
        started = trio.current_time()
        within = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._app.run, within, exited)
            await within.wait()
            init, readiness = seconds_since_exec(), trio.current_time() - started
            write_line(
                self._about,
                {"InitTime": init * 1000, "ReadinessTime": readiness * 1000},
            )
            ready.set()

    def open_transport(self) -> Transport:
        """Return a transport that measures responses."""
        return MetricsTransport(self._app.open_transport())

    async def suspend(self) -> None:
        """Suspend the wrapped application.

        Raises:
            BeforeCheckpointError: the application's hook failed.
        """
        await self._app.suspend()

    async def resume(self) -> None:
        """Resume the wrapped application, and write how long that took.

        Raises:
            AfterRestoreError: the application can't continue.
        """
        started = trio.current_time()
        await self._app.resume()
        took = trio.current_time() - started
        write_line(self._about, {"RestoreTime": took * 1000})


class MetricsTransport(Middleware):
    """A transport that adds the time of each response to its call."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and measure: until the head, if the response is streamed."""
        started = trio.current_time()
        try:
            return await self._transport.send(request, call)
        finally:
            if isinstance(call, MetricsCall):
                call.application += trio.current_time() - started
