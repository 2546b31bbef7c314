"""What `local` prints: for people, or as lines of JSON."""

from collections.abc import Callable

import msgspec
from rich.console import Console
from rich.text import Text

from lambda_adapter.local.environment import TIMED_OUT
from lambda_adapter.local.invocation import Invocation

MAX_TITLE = 200
"""Characters of a request's target that are shown."""


class ConsoleReport:
    """Tells it to people."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(
        self, url: str, event: str, command: str, page: str, settings: list[str]
    ) -> None:
        """Print where the gateway is, what is behind it, and where the page is."""
        way = f"{event} -> lambda-adapter -> {command}"
        self._print(Text.assemble((url, "bold"), f"  {way}"))
        self._print(Text(f"invocations  {page}", "dim"))
        if settings:
            self._print(Text(f"settings  {'  '.join(settings)}", "dim"))

    def ready(self, init_ms: float) -> None:
        """Tell that an environment is initialised."""
        self._print(Text.assemble(("ready", "green"), f"  init {init_ms:.0f} ms"))

    def line(self, text: str) -> None:
        """Tell what the function has printed."""
        self._print(Text(text, "dim"))

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Tell what became of an invocation."""
        self._print(describe(invocation, reset=reset))

    def notice(self, text: str) -> None:
        """Tell what somebody should know."""
        self._print(Text(text, "yellow"))

    def failure(self, text: str) -> None:
        """Tell what somebody has to put right."""
        self._print(Text.assemble(("error", "bold red"), f"  {text}"))

    def interrupted(self) -> None:
        """Tell that all will end, behind the ^C that the terminal shows."""
        self._print(Text(" ending"))

    def end(self) -> None:
        """Tell that everything has ended."""
        self._print(Text("ended"))

    def _print(self, text: Text) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


def describe(invocation: Invocation, *, reset: bool) -> Text:
    """Return the line of an invocation."""
    title = truncate(invocation.title)
    word, colour = outcome(invocation)
    if failure := invocation.failure:
        what = "timeout" if failure.error_type == TIMED_OUT else failure.error_type
        parts = [f"{what}: {_plain(failure.message)}"]
        text = Text.assemble((word, colour), f"  {title}  {'  '.join(parts)}")
    else:
        billed = f"billed {invocation.billed_ms} ms"
        if invocation.init_ms:
            billed += " with init"
        parts = [f"{invocation.duration_ms:.1f} ms", billed]
        parts.append(f"{invocation.memory_mb} MB")
        text = Text.assemble((word, colour), f"  {title}  {'  '.join(parts)}")
    if invocation.note:
        text.append(f"  {invocation.note}", "red")
    return text.append("; new environment") if reset else text


def outcome(invocation: Invocation) -> tuple[str, str]:
    """Return the status that the client got, or how the invocation ended; a colour."""
    if invocation.response:
        status = invocation.response.status
        good = "green" if status < 400 else "yellow" if status < 500 else "red"
        return str(status), "red" if invocation.failure else good
    return ("error", "red") if invocation.failure else ("ok", "green")


def truncate(title: str) -> str:
    """Return a title of a line's length."""
    return title if len(title) <= MAX_TITLE else f"{title[:MAX_TITLE]}..."


def _plain(message: str) -> str:
    """Return a message without the request id that Lambda puts before it."""
    before, _, after = message.partition(" Error: ")
    return after if after and before.startswith("RequestId: ") else message


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
