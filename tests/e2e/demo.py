"""Show one request on its way through the adapter: `make demo`.

API Gateway's event goes in at the emulator, the Flask example echoes the request it
got, and out comes the reply that API Gateway would get.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import trio

from tests.catalogue import http_api
from tests.emulator import BOOTSTRAP, PROJECT, EmulatorError, free_ports, open_emulator

EVENT = http_api(
    "POST",
    "/echo/caf\u00e9 cr\u00e8me",
    base64.b64encode("Two, please. \u2615".encode()).decode(),
    {
        "content-type": "text/plain; charset=utf-8",
        "host": "example.execute-api.eu-west-1.amazonaws.com",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
    },
    rawQueryString="size=1%2F2&sugar=",
    cookies=["table=7", "guest=Ada"],
    isBase64Encoded=True,
)
TARGET = "/echo/caf%C3%A9%20cr%C3%A8me?size=1%2F2&sugar="
TIME_LIMIT = 30


async def invoke(log_path: Path) -> dict[str, Any]:
    """Send EVENT through the emulator, the adapter and Flask, and return the reply."""
    (port,) = free_ports(1)
    command: list[str | Path] = [
        *(BOOTSTRAP, PROJECT / ".venv/bin/gunicorn", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{port}", "app:app"),
    ]
    async with open_emulator(
        command,
        cwd=PROJECT / "examples/flask",
        env={"PORT": str(port), "SHIV_ROOT": str(PROJECT / ".cache/shiv")},
        log_path=log_path,
    ) as emulator:
        with trio.fail_after(TIME_LIMIT):
            reply: dict[str, Any] = json.loads(
                await emulator.invoke(json.dumps(EVENT).encode())
            )
            return reply


def check(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the request as Flask saw it, if it is EVENT's.

    Raises:
        ValueError: Something got lost on the way.
    """
    if reply.get("statusCode") != 200:
        raise ValueError(f"the reply is no 200: {reply}")
    seen: dict[str, Any] = json.loads(reply["body"])
    headers = {name.lower(): value for name, value in seen["headers"]}
    for what, found, expected in (
        ("method", seen["method"], "POST"),
        ("target", seen["target"], TARGET),
        ("host", headers.get("host"), EVENT["headers"]["host"]),
        ("cookies", headers.get("cookie"), "; ".join(EVENT["cookies"])),
        ("body", seen["body"], EVENT["body"]),
    ):
        if found != expected:
            raise ValueError(f"the {what} should be {expected!r}, not {found!r}")
    return seen


def show(seen: dict[str, Any], reply: dict[str, Any]) -> None:
    """Print the event, the request and the reply."""
    context = EVENT["requestContext"]["http"]
    print("1. API Gateway's event (HTTP API, payload format 2.0), in short:\n")
    print(f"   method          {context['method']}")
    for key in ("rawPath", "rawQueryString", "cookies", "body"):
        print(f"   {key:15} {json.dumps(EVENT[key], ensure_ascii=False)}")
    print("\n2. The HTTP request that Flask saw:\n")
    print(f"   {seen['method']} {seen['target']} HTTP/1.1")
    for name, value in seen["headers"]:
        print(f"   {name}: {value if len(value) < 60 else value[:57] + '...'}")
    print(f"\n   {base64.b64decode(seen['body']).decode()}")
    print("\n3. The reply that API Gateway got:\n")
    for key, value in reply.items():
        text = json.dumps(value, ensure_ascii=False)
        print(f"   {key:15} {text if len(text) < 60 else text[:57] + '...'}")
    print()


def main() -> None:
    """Run the demo.

    Raises:
        SystemExit: It did not work, and why.
    """
    with tempfile.TemporaryDirectory() as directory:
        log_path = Path(directory, "log")
        reply: dict[str, Any] = {}
        try:
            reply = trio.run(invoke, log_path)
            seen = check(reply)
        except (EmulatorError, trio.TooSlowError, LookupError, ValueError) as error:
            log = log_path.read_text() if log_path.exists() else ""
            raise SystemExit(f"{log}\nThe demo failed: {error!r}") from error
    show(seen, reply)
    print("All as it should be.")


if __name__ == "__main__":
    main()
