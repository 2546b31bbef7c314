"""Make standard output unbuffered, as in AWS's Python runtime.

Python buffers 8 KB of output to a pipe. On Lambda, that would reach the log during a
later invocation, or never: a frozen process writes nothing, and a killed one loses its
buffer. Imported only if an application runs in this process.
"""

from __future__ import annotations

import contextlib
import io
import select
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

PATIENCE = 0.05
"""Seconds that a thread waits for another to end its line. ``print`` writes a text and
its line break separately. A line that is not ended in time is not waited for again."""

LOOKS = 5
"""Number of waits that make up this time. If the whole process pauses, for Lambda's
freeze or for lack of CPU, only one of them runs out, so that the other thread still has
time to end its line."""


class WaitingFile(io.FileIO):
    """A file to write to that waits, also where its descriptor does not block.

    Whoever shares a pipe can have it not block, such as asyncio's
    ``connect_write_pipe`` or a child: that belongs to the pipe, not to the descriptor.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some bytes at least; return how many."""
        while (size := super().write(data)) is None:
            writable = select.poll()
            writable.register(self, select.POLLOUT)
            writable.poll()
        return size


class LineWriter(io.BufferedWriter):
    """A writer that flushes immediately and keeps the lines of threads apart."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw)
        self._line = threading.Lock()
        """Held from the start of a line to its end."""
        self._owner = 0
        """The thread that holds it."""

    def write(self, buffer: ReadableBuffer, /) -> int:
        """Write and flush all bytes."""
        thread = threading.get_ident()
        if self._owner != thread:
            self._begin(thread)
        try:
            size = super().write(buffer)
            self.flush()
        finally:
            if bytes(memoryview(buffer).cast("B")[-1:]) == b"\n":
                self._owner = 0
                # After a timeout two threads share a line, and both may end it.
                with contextlib.suppress(RuntimeError):
                    self._line.release()
        return size

    def _begin(self, thread: int) -> None:
        """Begin a line, or continue one that another thread does not end in time."""
        owner, waited = self._owner, 0
        while waited < LOOKS and not self._line.acquire(timeout=PATIENCE / LOOKS):
            waited = waited + 1 if self._owner == owner else 0
            owner = self._owner
        self._owner = thread


def unbuffer() -> None:
    """Make stdout and stderr write immediately."""
    for name in ("stdout", "stderr"):
        stream = _unbuffered(getattr(sys, name))
        vars(sys).update({name: stream, f"__{name}__": stream})


def _unbuffered(stream: TextIO) -> TextIO:
    """Return an unbuffered stream to the same file.

    A stream that has been replaced by another class is left alone. PYTHONUNBUFFERED
    would also write immediately, but it would mix the lines of different threads.
    """
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(
        stream.buffer, io.BufferedWriter | io.FileIO
    ):
        return stream
    stream.flush()
    raw = WaitingFile(stream.fileno(), "w", closefd=False)
    raw.name = stream.name
    unbuffered = io.TextIOWrapper(
        LineWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        write_through=True,
    )
    vars(unbuffered)["mode"] = "w"  # like Python's own streams
    return unbuffered
