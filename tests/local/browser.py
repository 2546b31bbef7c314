"""A headless Chromium, driven by its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

TIMEOUT = 30
"""Seconds for anything that this waits for."""

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--remote-debugging-port=0", "--window-size=1280,900"),
)


class Browser:
    """A page in a browser."""

    def __init__(self, sock: socket.socket, host: str, target: str) -> None:
        self._sock = sock
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._ids = itertools.count(1)
        self._text = ""
        self._events: list[dict[str, Any]] = []
        sock.sendall(self._ws.send(Request(host=host, target=target)))
        while not isinstance(self._next(), AcceptConnection):
            pass

    def go(self, url: str) -> None:
        """Open a URL."""
        self.call("Page.navigate", url=url)
        self.wait(f"document.readyState == 'complete' && location.href == {url!r}")

    def value(self, expression: str) -> Any:
        """Return the value of an expression, once it has one."""
        said = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        return said["result"].get("value")

    def wait(self, expression: str) -> None:
        """Return once an expression is true."""
        limit = time.monotonic() + TIMEOUT
        while time.monotonic() < limit:
            if self.value(f"!!({expression})"):
                return
        raise AssertionError(f"never true: {expression}")

    def resize(self, width: int, scheme: str) -> None:
        """Give the window a width, and the system a colour scheme."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[scheme_feature])

    def save_picture(self, file: Path) -> None:
        """Save what is to be seen."""
        said = self.call("Page.captureScreenshot")
        file.write_bytes(base64.b64decode(said["data"]))

    def event(self, method: str) -> dict[str, Any]:
        """Return the next event of a method, once it has come, and forget it."""
        while True:
            for each in self._events:
                if each["method"] == method:
                    self._events.remove(each)
                    parameters: dict[str, Any] = each["params"]
                    return parameters
            self.call("Runtime.evaluate", expression="0")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        number = next(self._ids)
        call = {"id": number, "method": method, "params": parameters}
        self._sock.sendall(self._ws.send(TextMessage(data=json.dumps(call))))
        while True:
            event = self._next()
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    said, self._text = json.loads(self._text), ""
                    self._events += [said] if "method" in said else []
                    if said.get("id") == number:
                        result: dict[str, Any] = said["result"]
                        return result

    def _next(self) -> object:
        while True:
            for event in self._ws.events():
                return event
            self._ws.receive_data(self._sock.recv(65536))


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a Chromium with one page."""
    program = shutil.which("chromium")
    assert program
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            env={"PATH": os.environ["PATH"], "HOME": profile},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stderr
            port = next(
                int(found[1])
                for line in process.stderr
                if (found := re.search(r"ws://127\.0\.0\.1:(\d+)/", line))
            )
            pages = httpx.get(f"http://127.0.0.1:{port}/json/list").json()
            page = next(each for each in pages if each["type"] == "page")
            target = page["webSocketDebuggerUrl"].partition(f":{port}")[2]
            with socket.create_connection(("127.0.0.1", port), TIMEOUT) as sock:
                yield Browser(sock, f"127.0.0.1:{port}", target)
        finally:
            process.kill()
