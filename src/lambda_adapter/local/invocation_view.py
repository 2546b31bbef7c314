"""Turn an invocation into what the inspector shows."""

import contextlib
import re
import shlex
from datetime import datetime
from urllib.parse import quote

import msgspec

from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
from lambda_adapter.http.messages import Fields, Request, decoded
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.quoting import truncate_middle
from lambda_adapter.runtime.context import encode_env_config, encode_lambda_context

MAX_TEXT = 65_536
"""Most characters to show of an event, a body or a log."""

MAX_DEPTH = 100
"""Deepest JSON to lay out. The indentation grows with the square of the depth: 10 kB of
brackets become 50 MB."""

TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|\\.|[\[{\]}]', re.DOTALL)
"""What opens or closes a level of JSON, and the strings, whose brackets don't. Escapes
are skipped after an unclosed quote, too: the time is linear."""

ERROR = "lambda-adapter: ERROR "
"""How a line of the adapter begins that says why something failed."""

OURS = (b"x-amz", b"x-forwarded-", b"content-length", b"host", b"via", b"forwarded")
"""Prefixes of headers that a client does not send itself; ``curl`` omits them."""


class Part(msgspec.Struct, frozen=True):
    """A text with a title, which can be copied."""

    title: str
    text: str
    name: str
    """Suggested name for saving it to a file."""


class Bar(msgspec.Struct, frozen=True):
    """The times of an invocation, in thousandths of the whole."""

    init: int
    request: int
    after: int
    label: str


class View(msgspec.Struct, frozen=True):
    """Everything that is shown of an invocation."""

    number: int
    began: int
    """Milliseconds since the epoch."""
    time: str
    title: str
    request_id: str
    status: str
    mood: str
    """The class of the status: good, warn, bad, or busy while in progress."""
    duration: str = ""
    billed: str = ""
    memory: str = ""
    failure: str = ""
    bar: Bar | None = None
    parts: tuple[Part, ...] = ()
    curl: str = ""
    test: str = ""
    can_replay: bool = False


def view(invocation: Invocation, config: Config | None, url: str = "") -> View:
    """Return what the page shows of an invocation; little while it is in progress."""
    begun = View(
        number=invocation.number,
        began=int(invocation.at * 1000),
        time=datetime.fromtimestamp(invocation.at).strftime("%H:%M:%S"),
        title=truncate_middle(invocation.label, 200),
        request_id=invocation.request_id,
        status="\N{HORIZONTAL ELLIPSIS}",
        mood="busy",
    )
    if not invocation.told.is_set():
        return begun
    if invocation.is_hook:
        return _show_hook(begun, invocation)
    return _finish_view(begun, invocation, config, url)


def _show_hook(begun: View, invocation: Invocation) -> View:
    """Return what there is to show of a call of a MicroVM's hook."""
    status = invocation.response.status if invocation.response else 0
    failure = invocation.failure.message if invocation.failure else ""
    parts = [
        Part("Body of the call", _pretty_json(invocation.payload), "body.json"),
        Part("Log", truncate_middle("\n".join(invocation.lines), MAX_TEXT), "log.txt"),
    ]
    return msgspec.structs.replace(
        begun,
        request_id="",
        status=str(status or "error"),
        mood="good" if status == 200 else "bad",
        duration=f"{invocation.duration_ms:.1f} ms",
        memory=f"{invocation.memory_mb} MB" if invocation.memory_mb else "",
        failure=" ".join(filter(None, [failure, invocation.note])),
        parts=tuple(part for part in parts if part.text),
    )


def _finish_view(
    begun: View, invocation: Invocation, config: Config | None, url: str
) -> View:
    failure = invocation.failure
    failed = _why_failed(invocation)
    status = invocation.response.status if invocation.response else 0
    request = _read_view_request(invocation, config)
    if invocation.is_refused:
        begun = msgspec.structs.replace(begun, request_id="", failure=invocation.note)
        failed, note = "", f"Refused by the gateway: {invocation.note}"
    else:
        note = invocation.note
    return msgspec.structs.replace(
        begun,
        status=str(status or ("error" if failure else "ok")),
        mood=_status_class(status, is_failed=failure is not None),
        duration="" if invocation.is_refused else f"{invocation.duration_ms:.1f} ms",
        billed="" if invocation.is_refused else f"{invocation.billed_ms} ms",
        memory=f"{invocation.memory_mb} MB" if invocation.memory_mb else "",
        failure=" ".join(filter(None, [failed, note])),
        bar=_duration_bar(invocation),
        parts=_view_parts(invocation, request),
        curl=_curl_command(request, url) if isinstance(request, Request) else "",
        test=_pytest_code(invocation),
        can_replay=not invocation.is_refused,
    )


def _why_failed(invocation: Invocation) -> str:
    """Return what the adapter logged about a failure, or else what Lambda says of it.

    The request ID is left out, since the row has it.
    """
    logged = [line for line in invocation.lines if line.startswith(ERROR)]
    if logged:
        return logged[-1].removeprefix(ERROR).partition(" RequestId: ")[0]
    if failure := invocation.failure:
        message = failure.message.removeprefix(f"RequestId: {invocation.request_id} ")
        return f"{failure.error_type}: {message.removeprefix('Error: ')}"
    return ""


def _status_class(status: int, *, is_failed: bool) -> str:
    if is_failed or status >= 500:
        return "bad"
    return "warn" if status >= 400 else "good"


def _duration_bar(invocation: Invocation) -> Bar | None:
    """Return how long init, request and work after the reply took."""
    init = invocation.init_ms or 0
    replied = min(invocation.replied_ms, invocation.duration_ms)
    whole = init + invocation.duration_ms
    if not whole:
        return None
    after = invocation.duration_ms - replied
    parts = [f"init {init:.1f} ms"] if init else []
    parts += [f"request {replied:.1f} ms", f"after the reply {after:.1f} ms"]
    first, second = round(1000 * init / whole), round(1000 * replied / whole)
    return Bar(first, second, 1000 - first - second, ", ".join(parts))


def _view_parts(invocation: Invocation, request: Request | str) -> tuple[Part, ...]:
    """Return what happened, in order; a failed invocation begins with the log."""
    log = truncate_middle("\n".join(invocation.lines), MAX_TEXT)
    parts = [
        Part("Event", _pretty_json(invocation.payload), "event.json"),
        Part("Request to the application", _show_request(request), "request.txt"),
        Part("Reply to Lambda", _pretty_json(invocation.reply_payload), "reply.json"),
        Part("Response to the client", _show_response(invocation), "response.txt"),
    ]
    is_wrong = bool(invocation.failure or invocation.note)
    is_wrong |= invocation.response is not None and invocation.response.status >= 500
    parts.insert(0 if is_wrong else len(parts), Part("Log", log, "log.txt"))
    return tuple(part for part in parts if part.text)


def _pretty_json(document: bytes) -> str:
    if not _is_deep_json(document):
        with contextlib.suppress(msgspec.DecodeError):
            document = msgspec.json.format(document, indent=2)
    return _show_body_bytes(document)


def _is_deep_json(document: bytes) -> bool:
    """Return whether JSON is nested more than ``MAX_DEPTH`` levels deep."""
    depth = 0
    if document.count(b"[") + document.count(b"{") > MAX_DEPTH:
        for match in TOKENS.finditer(document):
            depth += (match[0] in b"[{") - (match[0] in b"]}")
            if depth > MAX_DEPTH:
                return True
    return False


def _read_view_request(invocation: Invocation, config: Config | None) -> Request | str:
    """Return the request that the application gets, or the reason if none."""
    if not invocation.payload:
        return ""
    context = Context(b"{}")
    if config and (delivered := invocation.delivered):
        context = Context(
            encode_lambda_context(delivered, encode_env_config(config)),
            delivered.trace_id.encode("latin-1"),
            delivered.tenant_id.encode("latin-1"),
            config.pass_through_path.encode(),
            request_id=delivered.request_id.encode(),
        )
    try:
        payload = invocation.payload
        return classify(payload).decode(payload).request(context)
    except (AdapterError, RecursionError) as error:
        return str(error)


def _show_request(request: Request | str) -> str:
    if isinstance(request, str):
        return request
    line = f"{decoded(request.method)} {decoded(request.target)} HTTP/1.1"
    head = [line, *_header_lines(request.fields), ""]
    return "\n".join([*head, _show_body_bytes(request.body)]).rstrip()


def _curl_command(request: Request, url: str) -> str:
    """Return the command that sends the same request to the gateway."""
    target = quote(decoded(request.target), safe="/?&=%:;@!$'()*+,-._~[]")
    words = ["curl", "--include"]
    if request.method != b"GET":
        words += ["--request", decoded(request.method)]
    for name, value in request.fields:
        if not name.lower().startswith(OURS):
            words += ["--header", f"{decoded(name)}: {decoded(value)}"]
    if request.body:
        words += ["--data-binary", _show_body_bytes(request.body)]
    return shlex.join([*words, url + target])


def _pytest_code(invocation: Invocation) -> str:
    """Return a test that sends the event and expects the same response."""
    try:
        event = invocation.event
        reply = invocation.reply
    except msgspec.MsgspecError:
        return ""
    except RecursionError:
        return ""
    lines = [
        "def test_invocation(lambda_app):",
        '    app = lambda_app("COMMAND")',
        f"    event = {event!r}",
        "",
        "    invocation = app.invoke(event)",
        "",
    ]
    status = reply.get("statusCode") if isinstance(reply, dict) else None
    lines.append(
        f'    assert invocation.reply["statusCode"] == {status!r}'
        if status
        else "    assert invocation.failure is None"
    )
    return "\n".join(lines) + "\n"


def _show_response(invocation: Invocation) -> str:
    response = invocation.response
    if response is None:
        return ""
    streamed = invocation.pieces is not None
    body = response.body if isinstance(response.body, bytes) else b""
    shown = "(streamed)" if streamed else _show_body_bytes(body)
    head = [str(response.status), *_header_lines(response.fields)]
    return "\n".join([*head, "", shown]).rstrip()


def _header_lines(fields: Fields) -> list[str]:
    return [f"{decoded(name)}: {decoded(value)}" for name, value in fields]


def _show_body_bytes(data: bytes) -> str:
    try:
        return truncate_middle(data.decode(), MAX_TEXT)
    except UnicodeDecodeError:
        return f"({len(data):,} bytes)"
