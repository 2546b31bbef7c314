"""Call a MicroVM's hooks; each call is a row in the output and on the page."""

from collections.abc import Awaitable, Callable

import msgspec
import trio

from lambda_adapter.http.messages import Response
from lambda_adapter.local.invocation import Failure, History, Invocation
from lambda_adapter.local.microvm.hook_calls import NoResponseError, call_hook
from lambda_adapter.local.options import Options
from lambda_adapter.local.report import Report

INTERVAL = 0.1
"""Seconds between two calls of a hook that asks to be called again."""

DONE, AGAIN = 200, 503


class Hook(msgspec.Struct, frozen=True):
    """The properties of a hook."""

    timeout: float
    """Longest timeout that an image can set, in seconds."""
    default: float
    """Default timeout in seconds."""
    failure: str
    """The consequence of a status other than 200."""


HOOKS = {
    "ready": Hook(3600, 30, "the image's build fails"),
    "validate": Hook(3600, 30, "the image's build fails"),
    "run": Hook(60, 1, "the MicroVM is terminated"),
    "resume": Hook(60, 1, "the MicroVM is terminated"),
    "suspend": Hook(60, 1, "what Lambda does then is not documented"),
    "terminate": Hook(60, 1, "the MicroVM is terminated all the same"),
}
"""https://docs.aws.amazon.com/lambda/latest/microvm-api/API_MicrovmHooks.html"""

ASKED_AGAIN = frozenset({"ready", "validate"})
"""Hooks that Lambda calls again after a 503."""


class HookRows:
    """Calls hooks, and keeps and reports the result of each call.

    ``measure`` returns the MicroVM's memory in MB, and no call outlasts ``ended``.
    """

    def __init__(
        self,
        options: Options,
        report: Report,
        measure: Callable[[], Awaitable[int]],
        ended: trio.Event,
    ) -> None:
        self.options = options
        self.records = History()
        self.begun: list[Callable[[Invocation], None]] = []
        """Called with each row when its hook is called."""
        self.listeners: list[Callable[[Invocation], None]] = []
        """Called with each complete row."""
        self._report = report
        self._measure = measure
        self._ended = ended
        self._last: Invocation | None = None

    async def call(
        self, name: str, body: bytes, seconds: float | None = None
    ) -> tuple[Invocation, str]:
        """Call a hook; return its row, and why it failed, or ""."""
        row = self._begin(name, body)
        hook = HOOKS[name]
        seconds = seconds or hook.timeout
        status: int | str = f"no response within {seconds:g} s"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_at_end, nursery.cancel_scope)
            with trio.move_on_after(seconds):
                status = await self._ask(row)
            nursery.cancel_scope.cancel()
        await self._finish(row, status)
        if status == DONE:
            return row, ""
        what = f"status {status}" if isinstance(status, int) else status
        return row, f"{what}: {hook.failure}"

    async def _cancel_at_end(self, scope: trio.CancelScope) -> None:
        await self._ended.wait()
        scope.cancel()

    async def _ask(self, row: Invocation) -> int | str:
        """Call a hook, again if it asks for that; return its status, or what failed."""
        name = row.title
        port = self.options.config.microvm_hooks_port or 0
        while True:
            try:
                status = await call_hook(port, name, row.payload)
            except NoResponseError as error:
                # The adapter does not listen yet; the timeout includes that.
                if name != "ready":
                    return str(error)
                status = AGAIN
            if status != AGAIN or name not in ASKED_AGAIN:
                return status
            await trio.sleep(INTERVAL)
            row.calls += 1

    def refuse(self, title: str, response: Response, why: str) -> None:
        """Report and keep a request that was not forwarded."""
        row = Invocation(b"", title)
        row.refuse(response, why)
        self.records.add(row)
        self._report.invocation(row, reset=False)
        for listener in self.listeners:
            listener(row)

    def _begin(self, name: str, body: bytes) -> Invocation:
        row = Invocation(body, name)
        row.calls = 1
        row.hand()
        self._last = row
        self.records.add(row)
        for listener in self.begun:
            listener(row)
        return row

    async def _finish(self, row: Invocation, status: int | str) -> None:
        name = row.title
        if isinstance(status, int):
            row.response = Response(status, b"", [], b"")
        else:
            row.fail(Failure("NoResponse", status))
        row.finish()
        row.note = HOOKS[name].failure if status != DONE else ""
        row.memory_mb = await self._measure()
        row.told.set()
        self._report.invocation(row, reset=False)
        seconds, default = row.duration_ms / 1000, HOOKS[name].default
        if seconds > default:
            self._report.notice(
                f"{name} took {seconds:.1f} s, and has {default:g} s by default:"
                f" set {name}TimeoutInSeconds in the image's hooks"
            )
        for listener in self.listeners:
            listener(row)

    def keep_line(self, line: str) -> None:
        """Keep a line of the log with the latest row."""
        if self._last:
            self._last.add_line(line)
        self._report.line(line)
