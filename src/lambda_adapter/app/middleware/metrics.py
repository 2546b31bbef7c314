"""AWS_LWA_METRICS: an application whose start, restores and responses are measured."""

import trio

from lambda_adapter.app.app import App, Call, Middleware, Transport
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.metrics import seconds_since_exec, write_line


class MeteredCall(Call):
    """A turn that adds up what it took."""

    application: float = 0
    """Seconds in which the application was waited for."""
    retries: int = 0

    def sent_again(self) -> None:
        """Count a repetition."""
        self.retries += 1


class MeteredApp:
    """An application that writes how long its start took, and each restore."""

    def __init__(self, app: App, function_name: str) -> None:
        self._app = app
        self._about = {"FunctionName": function_name}

    @property
    def extension_name(self) -> str:
        """The name of the application within."""
        return self._app.extension_name

    async def run(self, ready: trio.Event) -> None:
        """Run as the application within does, and write how long it took to be ready.

        Raises:
            InitError: it did not get ready.
            FatalError: it ended while it was serving.
        """
        started = trio.current_time()
        within = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._app.run, within)
            await within.wait()
            init, readiness = seconds_since_exec(), trio.current_time() - started
            write_line(
                self._about,
                {"InitTime": init * 1000, "ReadinessTime": readiness * 1000},
            )
            ready.set()

    def open_transport(self) -> Transport:
        """Return a transport at which responses are measured."""
        return MeteredTransport(self._app.open_transport())

    async def suspend(self) -> None:
        """Suspend as the application within does.

        Raises:
            BeforeCheckpointError: the application is not fit for a snapshot.
        """
        await self._app.suspend()

    async def resume(self) -> None:
        """Resume as the application within does, and write how long that took.

        Raises:
            AfterRestoreError: the application is not fit to go on.
        """
        started = trio.current_time()
        await self._app.resume()
        took = trio.current_time() - started
        write_line(self._about, {"RestoreTime": took * 1000})


class MeteredTransport(Middleware):
    """A transport that adds the time of each response to the turn."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send, and measure: until the head, if the response is streamed."""
        started = trio.current_time()
        try:
            return await self._transport.send(request, call)
        finally:
            if isinstance(call, MeteredCall):
                call.application += trio.current_time() - started
