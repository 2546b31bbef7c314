"""What is told to programs: one JSON object a line. Core: no I/O."""

from collections.abc import Callable

import msgspec

from lambda_adapter.local.invocation import Invocation


class JsonReport:
    """Tells it to programs."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def begin(
        self, url: str, event: str, command: str, page: str, settings: list[str]
    ) -> None:
        """Print where the gateway is, what is behind it, and where the page is."""
        self._tell("start", url=url, event=event, command=command, settings=settings)
        self._tell("page", url=page)

    def ready(self, init_ms: float) -> None:
        """Tell that an environment is initialised."""
        self._tell("ready", initMs=round(init_ms, 1))

    def line(self, text: str) -> None:
        """Tell what the function has printed."""
        self._tell("log", line=text)

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Tell what became of an invocation."""
        failure = invocation.failure
        response = invocation.response
        self._tell(
            "invocation",
            requestId=invocation.request_id,
            title=invocation.title,
            outcome="error" if failure else "ok",
            status=response.status if response else None,
            initMs=invocation.init_ms and round(invocation.init_ms, 1),
            durationMs=round(invocation.duration_ms, 2),
            billedMs=invocation.billed_ms,
            memoryMB=invocation.memory_mb,
            errorType=failure.error_type if failure else None,
            errorMessage=failure.message if failure else None,
            note=invocation.note or None,
            newEnvironment=reset,
        )

    def notice(self, text: str) -> None:
        """Tell what somebody should know."""
        self._tell("notice", message=text)

    def failure(self, text: str) -> None:
        """Tell what somebody has to put right."""
        self._tell("error", message=text)

    def interrupted(self) -> None:
        """Tell nothing: the end follows."""

    def end(self) -> None:
        """Tell that everything has ended."""
        self._tell("end")

    def _tell(self, kind: str, **said: object) -> None:
        self._write(msgspec.json.encode({"type": kind, **said}).decode())
