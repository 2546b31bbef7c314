"""The events in tests/data/events, and the requests that are to come of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulator import PROJECT

EVENTS = sorted((PROJECT / "tests/data/events").glob("*.json"))
CONTEXTS = (b"x-amzn-request-context", b"x-amzn-lambda-context")
VARYING = (*CONTEXTS, b"x-amzn-requestid")


def with_path(path: Path, target: str) -> bytes | None:
    """Return an HTTP event as a GET of another path, or None if it is not HTTP."""
    event: dict[str, Any] = json.loads(path.read_bytes())
    keys = [key for key in ("path", "rawPath", "raw_path") if key in event]
    if not keys:
        return None
    event |= dict.fromkeys(keys, target) | {"body": None}
    if "http" in (event.get("requestContext") or {}):
        event["requestContext"]["http"]["method"] = "GET"
    for key in {"httpMethod", "method"} & set(event):
        event[key] = "GET"
    return json.dumps(event).encode()


@dataclass
class Request:
    """A request as it went over the wire, without the two context headers."""

    head: list[bytes]
    body: bytes
    contexts: dict[bytes, bytes]

    @classmethod
    def parse(cls, raw: bytes) -> "Request":
        """Take a request apart."""
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        named = {line.partition(b": ")[0]: line.partition(b": ")[2] for line in lines}
        kept = [line for line in lines if line.partition(b":")[0] not in VARYING]
        return cls(kept, body, {name: named.get(name, b"") for name in CONTEXTS})


def expected_head(path: Path, app: str) -> list[bytes]:
    """Return the request line and the headers that an event is to become.

    ``app`` is the address of the application, the Host of what names none.
    """
    golden = PROJECT / "tests/data/requests" / f"{path.stem}.http"
    return golden.read_bytes().replace(b"{app}", app.encode()).splitlines()
