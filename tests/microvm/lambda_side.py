"""Lambda's side of a MicroVM: calls of the hooks, as they were measured on AWS."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from typing import NamedTuple

from tests.adapter import ADAPTER, measured
from tests.emulator import PROJECT
from tests.ports import free_ports

PREFIX = "/aws/lambda-microvms/runtime/v1/"
CLIENT_HELLO = bytes.fromhex("16030100050100000100")
UVICORN = [
    *(sys.executable, "-m", "uvicorn", "--log-level", "warning"),
    *("--app-dir", str(PROJECT / "tests" / "programs"), "microvm_app:app"),
]

PATIENCE = 20.0
"""Seconds that a test waits for anything."""


class Seen(NamedTuple):
    """A request as the application saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class MicroVM:
    """An image's command, running, and the ports of its hooks and its application."""

    def __init__(self, process: subprocess.Popen[str], hooks: int, app: int) -> None:
        self.process, self.hooks, self.app = process, hooks, app
        self.log = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._keep_log, daemon=True)
        self._reader.start()

    def _keep_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._news:
                self.log += line
                self._news.notify_all()

    def close(self) -> None:
        """Let go of its log, once its processes have ended."""
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()

    def wait_log(self, text: str) -> None:
        """Wait until the log has this."""
        with self._news:
            assert self._news.wait_for(lambda: text in self.log, PATIENCE), self.log

    def probe(self) -> bytes:
        """Send the first part of a TLS handshake, and return the response."""
        with socket.create_connection(("127.0.0.1", self.hooks), PATIENCE) as probe:
            probe.sendall(CLIENT_HELLO)
            return probe.recv(100)

    def hook(
        self,
        name: str,
        body: bytes = b"",
        host: str = "localhost",
        seconds: float = PATIENCE,
        **headers: str,
    ) -> int:
        """Call a hook, after a TLS probe, and return the status."""
        assert self.probe() == b""
        return self.post(PREFIX + name, body, f"{host}:{self.hooks}", seconds, headers)

    def post(
        self,
        path: str,
        body: bytes,
        host: str,
        seconds: float,
        headers: dict[str, str],
        method: str = "POST",
    ) -> int:
        connection = HTTPConnection("127.0.0.1", self.hooks, timeout=seconds)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Host": host, **headers})
            response = connection.getresponse()
            response.read()
            return response.status

    def build(self, *names: str) -> list[int]:
        """Call hooks while they are answered 503, and return their last statuses."""
        return [self._until_done(name) for name in names or ("ready", "validate")]

    def _until_done(self, name: str) -> int:
        deadline = time.monotonic() + PATIENCE
        while (status := self.hook(name, b"{}")) == 503:
            assert time.monotonic() < deadline
        return status

    def get(self, path: str) -> bytes:
        """Return the body of a response of the application."""
        connection = HTTPConnection("127.0.0.1", self.app, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()

    def seen(self, path: str) -> list["Seen"]:
        """Return what the application has seen of requests for a path."""
        requests = [Seen(**each) for each in json.loads(self.get("/seen"))]
        return [each for each in requests if each.path == path]

    def processes(self) -> list[int]:
        """Return the pids that hold this MicroVM's ports in their environment."""
        mark = f"MARK={self.hooks}".encode()
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as f:
                if mark in f.read().split(b"\0"):
                    found.append(int(name))
        return found

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        return self.process.wait(PATIENCE)


def wait_until(condition: Callable[[], bool]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + PATIENCE
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        waiting.wait(0.02)


@contextlib.contextmanager
def open_microvm(
    command: Sequence[str] = UVICORN,
    *options: str,
    adapter: Sequence[str] = tuple(ADAPTER),
    **settings: str,
) -> Iterator[MicroVM]:
    """Start an image's command, with AWS's variables, and end it afterwards."""
    hooks, app = free_ports(2)
    words = [word.format(port=app, hooks=hooks) for word in command]
    if command is UVICORN:
        words += ["--port", str(app)]
    environ = {
        "PATH": os.environ["PATH"],
        **measured(),
        "PORT": str(app),
        "MARK": str(hooks),
        "AWS_LAMBDA_MICROVM_IMAGE_NAME": "image",
        "AWS_LAMBDA_MICROVM_IMAGE_VERSION": "1",
        "AWS_LWA_MICROVM_HOOKS_PORT": str(hooks),
        **settings,
    }
    process = subprocess.Popen(
        [*adapter, *options, *words], env=environ, stderr=subprocess.PIPE, text=True
    )
    microvm = MicroVM(process, hooks, app)
    try:
        wait_until(lambda: process.poll() is not None or listens(hooks))
        yield microvm
    finally:
        for pid in [process.pid, *microvm.processes()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        microvm.close()


def listens(port: int) -> bool:
    """Return whether a port accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
