"""Print what happens in `local`, for people or as lines of JSON."""

import json
import re

from rich.console import Console
from rich.text import Text

from lambda_adapter.local.environment import TIMED_OUT
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.output import Output

MAX_TITLE = 200
"""Most characters of a request's target to print."""


INIT_ERROR = "lambda-adapter: ERROR Runtime."
"""Beginning of the line that the adapter logs when its init fails."""

_LEVEL = re.compile(
    r"(?P<own>lambda-adapter: )?[\[<(]?"
    r"(?P<level>DEBUG|INFO|WARN|ERROR|CRITICAL|FATAL)\b"
)
_STYLES = {
    "DEBUG": "dim",
    "INFO": "dim",
    "WARN": "yellow",
    "ERROR": "red",
    "CRITICAL": "red",
    "FATAL": "red",
}
"""Styles of the adapter's own lines; dim unless something is wrong."""

_APPLICATIONS = _STYLES | {"DEBUG": "", "INFO": "", "WARN": ""}


class ConsoleReporter:
    """Prints for people."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held = ""
        """A logged init error: held back, since the init's failure repeats it."""
        self._holds = True

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
        """Print that an environment is initialised."""
        self._holds = False
        self._print(Text.assemble(("ready", "green"), f"  init {init_ms:.0f} ms"))

    def line(self, text: str) -> None:
        """Print a line of the function's log; the application's own unchanged."""
        if self._holds and text.startswith(INIT_ERROR):
            self._held = text
        else:
            self._print(Text(text, style_of(text)))

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Print a completed invocation."""
        self._print(describe(invocation, reset=reset))

    def notice(self, text: str) -> None:
        """Print a notice."""
        self._print(Text(text, "yellow"))

    def failure(self, text: str) -> None:
        """Print a problem that the user must solve."""
        if self._held.endswith(text):
            self._held = ""
        self._print(Text.assemble(("error", "bold red"), f"  {text}"))

    def interrupted(self) -> None:
        """Print that shutdown has begun, on the line with the terminal's ^C."""
        self._print(Text(" ending"))

    def end(self) -> None:
        """Print that everything has ended."""
        self._print(Text("ended"))

    def _print(self, text: Text) -> None:
        if held := self._held:
            self._held = ""
            self._print(Text(held, style_of(held)))
        self._console.print(text, highlight=False, soft_wrap=True)


def style_of(line: str) -> str:
    """Return the style of a log line; "" for none."""
    if found := _LEVEL.match(line):
        return (
            _STYLES[found["level"]] if found["own"] else _APPLICATIONS[found["level"]]
        )
    return ""


def describe(invocation: Invocation, *, reset: bool) -> Text:
    """Return the line about an invocation."""
    title = truncate(invocation.label)
    word, colour = outcome(invocation)
    if invocation.is_refused:
        why = f"refused by the gateway: {invocation.note}"
        return Text.assemble((word, colour), f"  {title}  ", (why, "yellow"))
    if invocation.is_hook:
        parts = [title, f"{invocation.duration_ms:.1f} ms"]
        parts += [invocation.failure.message] if invocation.failure else []
        text = Text.assemble((word, colour), "  ", "  ".join(parts))
        return text.append(f"  {invocation.note}", "red") if invocation.note else text
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
    """Return the client's status, or how the invocation ended, and a colour."""
    if invocation.response:
        status = invocation.response.status
        good = "green" if status < 400 else "yellow" if status < 500 else "red"
        return str(status), "red" if invocation.failure else good
    return ("error", "red") if invocation.failure else ("ok", "green")


def truncate(title: str) -> str:
    """Return a title that fits into a line."""
    return title if len(title) <= MAX_TITLE else f"{title[:MAX_TITLE]}..."


def _plain(message: str) -> str:
    """Return a message without the request ID that Lambda puts before it."""
    before, _, after = message.partition(" Error: ")
    return after if after and before.startswith("RequestId: ") else message


class JsonReporter:
    """Prints for programs."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def begin(
        self, url: str, event: str, command: str, page: str, settings: list[str]
    ) -> None:
        """Print where the gateway is, what is behind it, and where the page is."""
        self._tell("start", url=url, event=event, command=command, settings=settings)
        self._tell("page", url=page)

    def ready(self, init_ms: float) -> None:
        """Print that an environment is initialised."""
        self._tell("ready", initMs=round(init_ms, 1))

    def line(self, text: str) -> None:
        """Print a line that the function has printed."""
        self._tell("log", line=text)

    def invocation(self, invocation: Invocation, *, reset: bool) -> None:
        """Print a completed invocation."""
        failure = invocation.failure
        response = invocation.response
        if invocation.is_hook:
            self._tell(
                "hook",
                name=invocation.title,
                status=response.status if response else None,
                durationMs=round(invocation.duration_ms, 2),
                memoryMB=invocation.memory_mb,
                calls=invocation.calls,
                note=(failure.message if failure else invocation.note) or None,
            )
            return
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
        """Print a notice."""
        self._tell("notice", message=text)

    def failure(self, text: str) -> None:
        """Print a problem that the user must solve."""
        self._tell("error", message=text)

    def interrupted(self) -> None:
        """Do nothing: the end is printed next."""

    def end(self) -> None:
        """Print that everything has ended."""
        self._tell("end")

    def _tell(self, kind: str, **said: object) -> None:
        # In ASCII where the output's encoding lacks characters: a backslash that stands
        # for one would not be JSON. Half surrogates are bytes of a name, and no text.
        ascii_only = not self._output.is_unicode
        line = json.dumps({"type": kind, **said}, ensure_ascii=ascii_only)
        text = line.encode("utf-8", "replace").decode()
        self._output.write(f"{text}\n")
        self._output.flush()
