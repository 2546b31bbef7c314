"""An invocation as the page shows it: laid out, and not too long. Core: no I/O."""

import contextlib
from datetime import datetime

import msgspec

from lambda_adapter import events
from lambda_adapter.errors import AdapterError
from lambda_adapter.events.context import Context
from lambda_adapter.http.messages import Fields, decoded
from lambda_adapter.local.invocation import Invocation
from lambda_adapter.quoting import shortened

MAX_TEXT = 65_536
"""Characters of an event, a body or a log that are shown."""


class View(msgspec.Struct, frozen=True):
    """What there is to show."""

    number: int
    time: str
    title: str
    status: str
    good: bool
    duration: str
    billed: str
    memory: str
    failure: str
    event: str
    request: str
    reply: str
    response: str
    log: str


def view(invocation: Invocation) -> View:
    """Return what the page shows of an invocation."""
    response = invocation.response
    failure = invocation.failure
    failed = f"{failure.error_type}: {failure.message}" if failure else ""
    status = response.status if response else 0
    init = f", init {invocation.init_ms:.0f} ms" if invocation.init_ms else ""
    return View(
        number=invocation.number,
        time=datetime.fromtimestamp(invocation.at).strftime("%H:%M:%S"),
        title=shortened(invocation.title, 200),
        status=str(status or ("error" if failure else "ok")),
        good=not failure and status < 400,
        duration=f"{invocation.duration_ms:.1f} ms{init}",
        billed=f"{invocation.billed_ms} ms",
        memory=f"{invocation.memory_mb} MB",
        failure=" ".join(filter(None, [failed, invocation.note])),
        event=_laid_out(invocation.payload),
        request=_request(invocation.payload),
        reply=_laid_out(invocation.reply_payload),
        response=_response(invocation),
        log=shortened("\n".join(invocation.lines), MAX_TEXT),
    )


def _laid_out(document: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError):
        document = msgspec.json.format(document, indent=2)
    return _text(document)


def _request(payload: bytes) -> str:
    """Return the request that the application sees, less what the adapter adds."""
    try:
        request = events.classify(payload).decode(payload).request(Context(b""))
    except AdapterError as error:
        return str(error)
    line = f"{decoded(request.method)} {decoded(request.target)} HTTP/1.1"
    fields = [field for field in request.fields if field[1]]
    return "\n".join([line, *_lines(fields), "", _text(request.body)]).rstrip()


def _response(invocation: Invocation) -> str:
    response = invocation.response
    if response is None:
        return ""
    streamed = invocation.pieces is not None
    body = response.body if isinstance(response.body, bytes) else b""
    shown = "(streamed)" if streamed else _text(body)
    head = [str(response.status), *_lines(response.fields)]
    return "\n".join([*head, "", shown]).rstrip()


def _lines(fields: Fields) -> list[str]:
    return [f"{decoded(name)}: {decoded(value)}" for name, value in fields]


def _text(data: bytes) -> str:
    try:
        return shortened(data.decode(), MAX_TEXT)
    except UnicodeDecodeError:
        return f"({len(data):,} bytes)"
