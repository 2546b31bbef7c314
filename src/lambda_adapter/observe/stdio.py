"""Standard output as AWS's Python runtime has it: nothing that is printed waits.

Python keeps 8 KB of what is printed into a pipe. On Lambda that would reach the log
under a later invocation's id, or never: a frozen process writes nothing, and one that
is killed loses it. Imported only where an application runs in this process.
"""

from __future__ import annotations

import contextlib
import io
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

PATIENCE = 0.05
"""Seconds that a thread waits for another one to end its line. ``print`` writes a text
and its line's end one after the other; one that has no end is not waited for again."""

LOOKS = 5
"""How often it looks meanwhile. A pause of the whole process, such as Lambda's freeze
and its share of a processor, is then not taken for the other thread's."""


class LineWriter(io.BufferedWriter):
    """A buffer that writes at once, and keeps the lines of several threads apart."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw)
        self._line = threading.Lock()
        """Held while a line has begun and not ended."""
        self._owner = 0
        """The thread whose line that is."""

    def write(self, buffer: ReadableBuffer, /) -> int:
        """Write all of it."""
        thread = threading.get_ident()
        if self._owner != thread:
            self._begin(thread)
        try:
            size = super().write(buffer)
            self.flush()
        finally:
            if bytes(memoryview(buffer).cast("B")[-1:]) == b"\n":
                self._owner = 0
                # Two threads may have begun one line, and both may end it.
                with contextlib.suppress(RuntimeError):
                    self._line.release()
        return size

    def _begin(self, thread: int) -> None:
        """Begin a line, or go on with one that another thread does not end."""
        owner, waited = self._owner, 0
        while waited < LOOKS and not self._line.acquire(timeout=PATIENCE / LOOKS):
            waited = waited + 1 if self._owner == owner else 0
            owner = self._owner
        self._owner = thread


def unbuffer() -> None:
    """Have what is printed, and what is written to stderr, go out at once."""
    for name in ("stdout", "stderr"):
        stream = _unbuffered(getattr(sys, name))
        vars(sys).update({name: stream, f"__{name}__": stream})


def _unbuffered(stream: TextIO) -> TextIO:
    """Return the stream that writes at once into the same file.

    One that something else has put there is left alone. PYTHONUNBUFFERED writes at once
    as well, but the lines of threads into each other.
    """
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(
        stream.buffer, io.BufferedWriter | io.FileIO
    ):
        return stream
    stream.flush()
    raw = io.FileIO(stream.fileno(), "w", closefd=False)
    raw.name = stream.name
    unbuffered = io.TextIOWrapper(
        LineWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        write_through=True,
    )
    vars(unbuffered)["mode"] = "w"  # as Python's own have
    return unbuffered
