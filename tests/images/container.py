"""A container of an image, restricted as Lambda restricts it, to be sent requests."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.emulator import PATH, RIE, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.images.engine import Engine

PORT = 8080
"""Where the applications listen: containers share the host's network, one at a time."""

TIME_LIMIT = 60
STOP_LIMIT = 10
# No write but to /tmp, a user that nobody knows, no home, not much memory, few files.
AS_ON_LAMBDA = [
    *("--read-only", "--tmpfs", "/tmp", "--user", "993:990", "--memory", "512m"),
    *("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"),
    *("--network", "host"),
]


class Container:
    """A running container."""

    def __init__(self, engine: Engine, name: str, port: int) -> None:
        self.engine = engine
        self.name = name
        self.port = port

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send an HTTP request to the port that matters, and return the response."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=TIME_LIMIT
        )
        connection.request(method, path, body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event through Lambda's emulator, and return the reply."""
        status, data = self.request("POST", PATH, json.dumps(event).encode())
        assert status == 200, f"{status}: {data!r}\n{self.log()}"
        reply: dict[str, Any] = json.loads(data)
        assert "statusCode" in reply, f"{reply}\n{self.log()}"
        return reply

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status; SIGKILL would make it 137."""
        self.engine("stop", "--time", str(STOP_LIMIT), self.name)
        return int(self.engine("wait", self.name))

    def command(self) -> list[str]:
        """Return the command line of its first process."""
        pid = self.engine("inspect", "--format", "{{.State.Pid}}", self.name).strip()
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().rstrip("\0").split("\0")

    def log(self) -> str:
        """Return all that it has printed."""
        return self.engine("logs", self.name)


@contextmanager
def run(engine: Engine, image: str) -> Iterator[Container]:
    """Run the image outside Lambda, until its application listens."""
    with _run(engine, image, [], [], PORT) as container:
        yield container


@contextmanager
def run_on_lambda(engine: Engine, image: str, *flags: str) -> Iterator[Container]:
    """Run the image under Lambda's emulator."""
    port, api_port = free_ports(2)
    emulator = "/usr/local/bin/aws-lambda-rie"
    options = ["--volume", f"{RIE}:{emulator}:ro", "--entrypoint", emulator, *flags]
    arguments = [
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *own_command(engine, image),
    ]
    with _run(engine, image, options, arguments, port) as container:
        yield container


def own_command(engine: Engine, image: str) -> list[str]:
    """Return what the image itself runs: ENTRYPOINT and CMD."""
    config = json.loads(engine("image", "inspect", image))[0]["Config"]
    return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]


@contextmanager
def _run(
    engine: Engine, image: str, options: list[str], arguments: list[str], port: int
) -> Iterator[Container]:
    with socket.socket() as sock:  # refused, if somebody else is there
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", PORT))
    flags = list(AS_ON_LAMBDA)
    if engine.private:  # podman would put one on /run and /var/tmp, too
        flags.append("--read-only-tmpfs=false")
    name = engine("run", "--detach", *flags, *options, image, *arguments)
    container = Container(engine, name.split()[-1], port)
    try:
        _wait_accepts(container)
        yield container
    finally:
        engine("rm", "--force", container.name)


def _wait_accepts(container: Container) -> None:
    running = ("inspect", "--format", "{{.State.Running}}", container.name)
    for _ in range(TIME_LIMIT * 100):
        assert container.engine(*running).strip() == "true", container.log()
        try:
            socket.create_connection(("127.0.0.1", container.port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(container.log())
