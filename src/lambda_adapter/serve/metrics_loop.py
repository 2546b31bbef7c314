"""AWS_LWA_METRICS: an invoke loop that writes metrics for each invocation."""

from collections.abc import Iterator

import msgspec
import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.middleware import Transports
from lambda_adapter.app.middleware.metrics import MetricsCall
from lambda_adapter.config import Config
from lambda_adapter.errors import AppStuckError, InvocationError
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.metrics import write_line
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.serve.invoke_loop import InvokeLoop


class MetricsLoop(InvokeLoop):
    """Measures from the arrival of the event until Lambda has accepted the reply.

    ``cold`` is shared by all loops: it yields 1 for the first invocation, then ends.
    """

    def __init__(
        self,
        runtime: RuntimeClient,
        transports: Transports,
        env_config: msgspec.Raw,
        config: Config,
        cold: Iterator[int],
    ) -> None:
        super().__init__(runtime, transports, env_config, config)
        self._function_name = config.function_name or "unknown"
        self._cold = cold

    async def _serve(self) -> None:
        try:
            await super()._serve()
        except AppStuckError:
            self._write()
            raise
        self._write()

    def _write(self) -> None:
        total = self._ended - self._began
        metrics = {
            "TotalTime": total * 1000,
            "ApplicationTime": self._call.application * 1000,
            "AdapterTime": (total - self._call.application) * 1000,
            "Retries": self._call.retries,
            "Cold": next(self._cold, 0),
        }
        if self._call.streamed:
            # The rest is also the time that application and client take to stream.
            del metrics["AdapterTime"]
        write_line(self._about, metrics)

    async def _next(self) -> Call:
        call = await super()._next()
        self._began = self._ended = trio.current_time()
        self._about: dict[str, str | int] = {
            "FunctionName": self._function_name,
            "RequestId": call.invocation.request_id,
        }
        self._call = MetricsCall(call.invocation, call.deadline, started=call.started)
        return self._call

    async def _send(self, call: Call, request: Request) -> Response:
        response = await super()._send(call, request)
        self._about["Status"] = response.status
        return response

    async def _post(self, call: Call, reply: bytes, response: Response) -> None:
        await super()._post(call, reply, response)
        self._ended = trio.current_time()

    async def _fail(self, call: Call, failure: InvocationError) -> None:
        self._about.pop("Status", None)
        self._about["ErrorType"] = failure.error_type
        if call.kind.is_http and failure.is_for_client:
            self._about["Status"] = failure.status
        await super()._fail(call, failure)
        self._ended = trio.current_time()
