"""Show a request on its way through Lambda, on this machine: `make demo`.

It does what a person would do: it starts `lambda-adapter local` on the Flask example,
sends a request, and stops. Both ends are printed.
"""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import httpx

from tests.ports import free_ports

PROJECT = Path(__file__).parent.parent.parent
COMMAND = ("gunicorn", "--no-control-socket", "app:app")
TARGET = "/echo/caf%C3%A9%20cr%C3%A8me?size=1%2F2&sugar="
BODY = "Two, please. \u2615"
SLOW = "Init timed out"
"""How the line begins that is printed if the application needs more than the 10 s of
Lambda's init. The request starts it again, within the function's timeout."""

TIMEOUT = 60
"""Seconds, twice as many as the function has."""

SHOWN = 60
"""Characters of a header field that are shown."""


def main() -> None:
    """Run the demo.

    Raises:
        SystemExit: It did not work.
    """
    bin_folder = Path(sys.executable).parent
    port = str(free_ports(1)[0])
    options = ("--port", "0", "--app-port", port, "--")
    print(f"$ lambda-adapter local -- {' '.join(COMMAND)}")
    with subprocess.Popen(
        [bin_folder / "lambda-adapter", "local", *options, *COMMAND],
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        cwd=PROJECT / "examples/flask",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            url = echo_until(process.stdout, "http://").split()[0]
            echo_until(process.stdout, ("ready", SLOW))
            worked = ask(url)
            echo_until(process.stdout, "200  POST")
        except (StopIteration, httpx.HTTPError) as error:
            raise SystemExit(f"The demo failed: {error!r}") from error
        finally:
            process.send_signal(signal.SIGINT)
        print("^C")
        print(process.stdout.read(), end="")
    if not worked:
        raise SystemExit("The demo failed: the request is not the one that was sent.")
    print("\nAll as it should be.")


def echo_until(output: IO[str], beginning: str | tuple[str, ...]) -> str:
    """Print lines to the first that begins so, or in one of these ways; return it."""
    while True:
        line = next(output)
        print(line, end="", flush=True)
        if line.startswith(beginning):
            return line


def ask(url: str) -> bool:
    """Send a request, show it at both ends, and return whether it is the same one."""
    print(f"\n$ curl --data '{BODY}' '{url}{TARGET}'\n")
    response = httpx.post(url + TARGET, content=BODY.encode(), timeout=TIMEOUT)
    seen = response.json()
    print("  The request that Flask got:")
    print(f"    {seen['method']} {seen['target']}")
    show(seen["headers"])
    body = base64.b64decode(seen["body"]).decode()
    print(f"\n    {body}\n")
    print("  The response that the client got:")
    print(f"    {response.status_code}")
    show(response.headers.items())
    print(f"\n    {response.text[:SHOWN]}...\n")
    return (seen["method"], seen["target"], body) == ("POST", TARGET, BODY)


def show(fields: Iterable[tuple[str, str]]) -> None:
    """Print header fields, the long ones not in full."""
    for name, value in fields:
        shown = value if len(value) <= SHOWN else f"{value[: SHOWN - 3]}..."
        print(f"    {name}: {shown}")


if __name__ == "__main__":
    main()
