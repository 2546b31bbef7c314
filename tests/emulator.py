"""AWS's Lambda Runtime Interface Emulator, as a process for tests to start and invoke.

It starts its bootstrap at the first invocation, serves one function, and dies of two
invocations at once, so these are put in a row here.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httptools
import trio

from tests.ports import free_ports as free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

PROJECT = Path(__file__).parent.parent
BOOTSTRAP = Path(os.environ.get("TESTED_ADAPTER") or PROJECT / "dist/bootstrap")
"""The artefact that is tested: the zipapp, unless the native file is named."""

RIE = PROJECT / ".cache/rie/aws-lambda-rie"
PATH = "/2015-03-31/functions/function/invocations"
MARK = "EMULATOR_MARK"
POLL = 0.01
START_LIMIT = 10
STOP_LIMIT = 5


class EmulatorError(Exception):
    """The emulator did not start, or did not respond in HTTP."""


class Emulator:
    """A running emulator."""

    def __init__(
        self, port: int, api_port: int, mark: str, log_path: Path, app: str
    ) -> None:
        self.app = app
        """The application's address, as the adapter's settings have it."""
        self._api_port = api_port
        self._port = port
        self._mark = f"{MARK}={mark}".encode()
        self._log_path = log_path
        self._one_at_a_time = trio.Lock()

    async def invoke(
        self, payload: bytes, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Invoke the function, and return what Lambda's caller gets.

        Raises:
            EmulatorError: The response is not whole, or not HTTP.
        """
        head = {
            "Host": "localhost",
            "Connection": "close",
            "Content-Length": len(payload),
            **(headers or {}),
        }
        lines = [f"POST {PATH} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items())]
        request = "\r\n".join([*lines, "", ""]).encode() + payload
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        async with self._one_at_a_time:
            stream = await trio.open_tcp_stream("127.0.0.1", self._port)
            async with stream:
                try:
                    await stream.send_all(request)
                    async for data in stream:
                        parser.feed_data(data)
                except (trio.BrokenResourceError, httptools.HttpParserError) as error:
                    raise EmulatorError(f"{error}; it says:\n{self.log()}") from error
        if not answer.complete:
            raise EmulatorError(f"Half an answer; it says:\n{self.log()}")
        return bytes(answer.body)

    async def connect(self) -> trio.SocketStream:
        """Connect to its Runtime API, as a bootstrap that it has started."""
        with trio.fail_after(START_LIMIT):
            while True:
                try:
                    return await trio.open_tcp_stream("127.0.0.1", self._api_port)
                except OSError:
                    await trio.sleep(POLL)

    def log(self) -> str:
        """Return all that the emulator and its children have printed."""
        return self._log_path.read_text(errors="replace")

    def processes(self) -> list[int]:
        """List the emulator and all that came of it, whoever their parents are now."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and self._is_marked(entry)
        ]

    def _is_marked(self, process: Path) -> bool:
        try:
            return self._mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            return False  # gone meanwhile, or somebody else's


class _Answer:
    """What the parser finds."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.complete = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


@asynccontextmanager
async def open_emulator(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    log_path: Path,
    cwd: Path | None = None,
) -> AsyncIterator[Emulator]:
    """Run the emulator with `command` as the function's bootstrap.

    The environment is PATH and `env`. When this ends, the emulator gets the chance to
    end the environment as Lambda does, and then whatever is left of it is killed.

    Raises:
        EmulatorError: The emulator did not start.
    """
    port, api_port = free_ports(2)
    mark = secrets.token_hex(8)
    app = f"127.0.0.1:{env.get('PORT', '8080')}"
    emulator = Emulator(port, api_port, mark, log_path, app)
    with log_path.open("wb") as log:
        process = await trio.lowlevel.open_process(
            [
                RIE,
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{api_port}"),
                *command,
            ],
            cwd=cwd,
            env={"PATH": os.environ["PATH"], **env, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with trio.fail_after(START_LIMIT):
            await _wait_accepts(port, process, emulator)
        yield emulator
    finally:
        with trio.CancelScope(shield=True):
            await _stop(process, emulator)


async def _wait_accepts(port: int, process: trio.Process, emulator: Emulator) -> None:
    while process.poll() is None:
        try:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
        except OSError:
            await trio.sleep(POLL)
        else:
            await stream.aclose()
            return
    raise EmulatorError(f"It ended with {process.returncode}:\n{emulator.log()}")


async def _stop(process: trio.Process, emulator: Emulator) -> None:
    process.terminate()
    with trio.move_on_after(STOP_LIMIT):
        await process.wait()
    while pids := emulator.processes():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        await trio.sleep(POLL)
    await process.wait()
