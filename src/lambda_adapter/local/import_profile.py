"""List the imports that the first response did not need: ``--profile-imports``.

Each process of the application that records its imports (``profile_start.py``) connects
to a Unix socket, also one that a server has forked. After the first reply each gets a
byte, and sends what it has recorded. What is shown is of the process that has spent
most time on imports: a server's worker, and not the server.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio

from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.report import Report

PATIENCE = 5.0
"""Generous upper bound, in seconds, for a process to send its imports."""

ADVICE = (
    "import it in the functions that need it, or set AWS_LWA_LAZY_IMPORTS on Python"
    " 3.15; under SnapStart and provisioned concurrency, leave it as it is"
)


class Row(msgspec.Struct, frozen=True):
    """An import."""

    ms: float
    name: str
    modules: int
    place: str
    """Its file or module, and its line."""


class Imports(msgspec.Struct, frozen=True):
    """The imports of a process."""

    total_ms: float
    unneeded: list[Row]
    needed: list[Row]
    """Those of the application's own files."""


class ImportProfile:
    """Receives the imports of processes, and reports them."""

    def __init__(self, path: str, report: Report) -> None:
        self.path = path
        self._report = report
        self._replied = trio.Event()
        self._open = 0
        self._heard: list[Imports] = []

    def note_reply(self, invocation: Invocation) -> None:
        """Request the imports after the first complete invocation."""
        self._replied.set()

    async def hear(self, stream: trio.SocketStream) -> None:
        """Receive the imports of one process."""
        self._open += 1
        received = b""
        async with stream:
            await self._replied.wait()
            with trio.move_on_after(PATIENCE):
                try:
                    await stream.send_all(b"\n")
                    async for piece in stream:
                        received += piece
                        if received.endswith(b"\n"):
                            break
                except trio.BrokenResourceError:  # it has ended
                    received = b""
        self._open -= 1
        if received.endswith(b"\n"):
            self._heard.append(msgspec.json.decode(received, type=Imports))
        if not self._open and self._heard:
            most = max(self._heard, key=lambda each: each.total_ms)
            for line in describe(most):
                self._report.notice(line)
            self._heard.clear()


def describe(imports: Imports) -> list[str]:
    """Return the lines about the imports."""
    unneeded = sum(each.ms for each in imports.unneeded)
    spent = f"{imports.total_ms:.0f} ms, of which the first response did not need"
    lines = [f"imports  {spent} {unneeded:.0f} ms:"]
    lines += map(_show_row, imports.unneeded)
    if imports.unneeded:
        lines.append(f"lazy  {ADVICE}")
    if imports.needed:
        lines.append("pin  these were needed, and belong into the init:")
        lines += map(_show_row, imports.needed)
    return lines


def _show_row(row: Row) -> str:
    count = f"{row.modules} module{'s' * (row.modules != 1)}"
    return f"{row.ms:8.0f} ms  {row.name}  {row.place}  {count}"


@asynccontextmanager
async def open_profile(report: Report) -> AsyncIterator[ImportProfile]:
    """Listen for the processes of a function."""
    with tempfile.TemporaryDirectory(prefix="lambda-adapter-") as directory:
        path = str(Path(directory) / "imports")
        profile = ImportProfile(path, report)
        with trio.socket.socket(trio.socket.AF_UNIX) as listening:
            await listening.bind(path)
            listening.listen()
            listener = trio.SocketListener(listening)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.serve_listeners, profile.hear, [listener])
                yield profile
                nursery.cancel_scope.cancel()
