"""The application under check, in the sandbox: through a gateway and directly."""

import secrets
import time
from typing import TYPE_CHECKING

import h11
import msgspec
import trio

from lambda_adapter.http.messages import Fields
from lambda_adapter.local.check import busy
from lambda_adapter.local.check.rules.requests import LATE
from lambda_adapter.local.check.settings import CheckSettings, Target
from lambda_adapter.local.environment import Environment
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateway_app import GatewayCall
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.gateways.gateway import REGION, ClientRequest
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.options import Options
from lambda_adapter.local.report import Silence
from lambda_adapter.local.sandbox.governor import Governor
from lambda_adapter.local.sandbox.jail import Jail

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_adapter.local.check.rules.responses import Answer

HOST = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
"""The Host that is asked: an API Gateway's."""

MAX_BODY = 16_777_216
"""Most bytes to read of a response; Lambda accepts 6 MB."""

CLIENT = "203.0.113.7"
"""The client's address, reserved for documentation (RFC 5737)."""


AGENT = b"Mozilla/5.0 (compatible; lambda-adapter local check)"
"""The client's User-Agent: each browser sends one, and applications rely on that."""


class SubjectLog(Silence):
    """The application's output, with times."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.on_line: Callable[[str], None] = lambda _: None

    def line(self, text: str) -> None:
        """Keep a line of the application's output."""
        if text.startswith("sandbox  "):
            return  # the check has that from the sandbox itself
        self.lines.append(text)
        self.on_line(text)


class Outcome(msgspec.Struct, frozen=True):
    """The result of a request through a gateway."""

    status: int
    fields: Fields
    body: bytes
    seconds: float
    """Duration of the invocation."""
    failure: str = ""
    """Why the invocation failed, if it did."""
    late: bool = False
    note: str = ""
    """The gateway's objection to the reply."""


class Direct(msgspec.Struct, frozen=True):
    """The result of a request to the application itself."""

    status: int
    """0 if there was no response."""
    fields: Fields
    body: bytes
    seconds: float
    complete: bool
    """Whether the response ended in time and within MAX_BODY."""
    first_byte: float = 0.0
    """Seconds until its head arrived."""


class Subject:
    """An application, with ways to send it requests."""

    def __init__(
        self,
        options: Options,
        settings: CheckSettings,
        function: Function,
        log: SubjectLog,
    ) -> None:
        self.options = options
        self.settings = settings
        self.function = function
        self.log = log
        self.pages: dict[str, Answer] = {}
        """The response of each page, requested directly or through a gateway."""
        self.request_cpu = 0.0
        """Mean CPU seconds of a request, including the adapter's."""
        self.weights: list[tuple[int, float]] = []
        """Megabytes in use after so many requests."""
        self.durations: list[float] = []
        """Seconds of served invocations."""

    @property
    def environment(self) -> Environment:
        """The current environment.

        Raises:
            RuntimeError: there is none.
        """
        environment = self.function.environment
        if environment is None:
            raise RuntimeError("no environment")
        return environment

    @property
    def jail(self) -> Jail:
        """The current environment's sandbox.

        Raises:
            RuntimeError: there is none.
        """
        jail = self.environment.jail
        if jail is None:
            raise RuntimeError("no sandbox")
        return jail

    @property
    def governors(self) -> list[Governor]:
        """The governors of all environments so far."""
        return [each.governor for each in self.jails if each.governor]

    @property
    def jails(self) -> list[Jail]:
        """The sandboxes of all environments so far."""
        return [each.jail for each in self.function.environments if each.jail]

    @property
    def ours(self) -> set[int]:
        """Ports that the application has not chosen."""
        return {each.runtime_port for each in self.function.environments}

    @property
    def port(self) -> int:
        """The application's port."""
        return self.options.config.port

    @property
    def streams(self) -> bool:
        """Whether replies are streamed, so that gateways must stream as well."""
        return self.options.config.streams

    @property
    def has_port(self) -> bool:
        """Whether requests can be sent to the application directly."""
        config = self.options.config
        return not (config.is_in_process or config.unix_socket)

    async def ask(self, target: Target, gateway: str = "") -> Outcome:
        """Send a request through a gateway and Lambda, as a browser would."""
        gateway = gateway or ("function-url" if self.streams else "http-api")
        kind = GATEWAYS[gateway]()
        path, _, query = target.path.partition("?")
        fields = [(b"Host", HOST.encode()), (b"User-Agent", AGENT)]
        fields += [(b"Accept", b"*/*"), *target.fields]
        body = target.body
        if body:
            fields.append((b"Content-Length", b"%d" % len(body)))
        arrival = ClientRequest(
            *(target.method, path, query, fields, body, CLIENT, 443, "https")
        )
        invocation = await GatewayCall(kind, arrival).invoke(self.function)
        if invocation is None:
            return Outcome(LATE, [], b"", kind.timeout, late=True)
        return await self._outcome(invocation)

    async def _outcome(self, invocation: Invocation) -> Outcome:
        body = b""
        if invocation.pieces:
            body = await _drain(invocation, self.settings.pace.request)
        await invocation.told.wait()
        response = invocation.response
        seconds = invocation.duration_ms / 1000
        status = response.status if response else 502
        if response and isinstance(response.body, bytes) and not body:
            body = response.body
        fields = response.fields if response else []
        if not invocation.failure and status < 500:
            self.durations.append(seconds)
        failure = invocation.failure.message if invocation.failure else ""
        # The adapter responds 0.1 s before the deadline.
        late = status == LATE or "timed out" in failure
        note = invocation.note
        return Outcome(status, fields, body, seconds, failure, late, note)

    async def ask_directly(
        self, target: Target, seconds: float, host: str = HOST
    ) -> Direct:
        """Send a request to the application itself, as the adapter would.

        The time in which this machine is busy with other programs does not count.
        """
        began, queued = time.monotonic(), self._queued()
        reader = _Reader()
        async with busy.move_on_after(seconds, self._queued) as limit:
            try:
                address = self.options.config.host
                async with await trio.open_tcp_stream(address, self.port) as stream:
                    await reader.exchange(stream, target, host)
            except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError):
                pass
        took = max(time.monotonic() - began - (self._queued() - queued), 0.0)
        all_read = reader.complete or len(reader.body) >= MAX_BODY
        complete = all_read and not limit.cancelled_caught
        first = min(reader.headed_at - began, took) if reader.headed_at else took
        return Direct(
            reader.status, reader.fields, bytes(reader.body), took, complete, first
        )

    def _queued(self) -> float:
        """Return the seconds for which the application has waited for a CPU so far."""
        environment = self.function.environment
        jail = environment.jail if environment else None
        return jail.governor.queued_seconds if jail and jail.governor else 0.0


class _Reader:
    """Reads one response with h11."""

    def __init__(self) -> None:
        self.status = 0
        self.fields: Fields = []
        self.body = bytearray()
        self.complete = False
        self.headed_at = 0.0

    async def exchange(
        self, stream: trio.SocketStream, target: Target, host: str
    ) -> None:
        connection = h11.Connection(h11.CLIENT)
        fields = [
            (b"Host", host.encode()),
            (b"User-Agent", AGENT),
            (b"Accept", b"*/*"),
            (b"X-Forwarded-Proto", b"https"),
            (b"X-Forwarded-Port", b"443"),
            (b"X-Forwarded-For", CLIENT.encode()),
            (b"X-Request-Id", secrets.token_hex(8).encode()),
            (b"Content-Length", b"%d" % len(target.body)),
            *target.fields,
        ]
        request = h11.Request(method=target.method, target=target.path, headers=fields)
        data = connection.send(request) or b""
        if target.body:
            data += connection.send(h11.Data(data=target.body)) or b""
        data += connection.send(h11.EndOfMessage()) or b""
        await stream.send_all(data)
        while len(self.body) < MAX_BODY:
            event = connection.next_event()
            match event:
                case h11.NEED_DATA:
                    connection.receive_data(await stream.receive_some(65_536))
                case h11.Response():
                    self.status = event.status_code
                    self.fields = list(event.headers.raw_items())
                    self.headed_at = time.monotonic()
                case h11.Data():
                    self.body += event.data
                case h11.EndOfMessage():
                    self.complete = True
                    return
                case h11.InformationalResponse():
                    continue
                case _:
                    return


async def _drain(invocation: Invocation, seconds: float) -> bytes:
    """Return a streamed body, as much as arrives in time."""
    body = bytearray()
    pieces = invocation.pieces
    if pieces:
        with trio.move_on_after(seconds):
            async with pieces:
                async for piece in pieces:
                    body += piece
                    if len(body) > MAX_BODY:
                        break
    return bytes(body)
