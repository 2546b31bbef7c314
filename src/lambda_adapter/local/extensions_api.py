"""Serve Lambda's Extensions API, as far as an extension without events needs it.

Refusals are the same as those of AWS's emulator.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import uuid

import msgspec
import trio

from lambda_adapter.local.h11_server import H11Exchange
from lambda_adapter.local.options import Options
from lambda_adapter.runtime.api import EXTENSION

REGISTER = f"{EXTENSION.decode()}/register"
EVENT_NEXT = f"{EXTENSION.decode()}/event/next"

MAX_REGISTRATION = 65_536
"""Largest body of a registration, in bytes."""


class _Registration(msgspec.Struct):
    events: list[str] | None = None


class ExtensionsApi:
    """Registers extensions, and lets them wait for events that never arrive."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._ids: dict[str, str] = {}
        """The identifiers of registered extensions, by name."""

    async def register(self, exchange: H11Exchange, *, is_open: bool) -> None:
        """Register an extension; allowed until the runtime requests an event."""
        body = await exchange.body(MAX_REGISTRATION)
        name = exchange.fields.get("lambda-extension-name", "")
        if error := self._refusal(name, body or b"", is_open=is_open):
            await refuse(exchange, 403, error, "The extension is not registered")
            return
        self._ids[name] = str(uuid.uuid4())
        about = {
            "functionName": self._options.function_name,
            "functionVersion": "$LATEST",
            "handler": "local",
        }
        fields = {"Lambda-Extension-Identifier": self._ids[name]}
        await exchange.respond(200, msgspec.json.encode(about), fields)

    def _refusal(self, name: str, body: bytes, *, is_open: bool) -> str:
        """Return the error type if a registration is refused, else None."""
        try:
            wanted = msgspec.json.decode(body, type=_Registration).events or []
        except msgspec.DecodeError:
            return "InvalidRequestFormat"
        if not name:
            return "Extension.InvalidExtensionName"
        if not is_open:
            return "Extension.RegistrationClosed"
        if name in self._ids:
            return "Extension.InvalidExtensionState"
        # An extension that a runtime's process registers has no SHUTDOWN.
        if set(wanted) - {"INVOKE"}:
            return "Extension.InvalidEventType"
        return ""

    async def next_event(self, exchange: H11Exchange) -> None:
        """Let a registered extension wait for ever."""
        given = exchange.fields.get("lambda-extension-identifier")
        if given in self._ids.values():
            await trio.sleep_forever()
        await exchange.body(0)
        kind = "Missing" if not given else "Unknown" if _is_uuid(given) else "Invalid"
        error = f"Extension.{kind}ExtensionIdentifier"
        await refuse(exchange, 403, error, "The extension is not known")


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


async def refuse(exchange: H11Exchange, status: int, kind: str, message: str) -> None:
    """Respond with an error of this type; the request's body must have been read."""
    body = msgspec.json.encode({"errorMessage": message, "errorType": kind})
    await exchange.respond(status, body)
