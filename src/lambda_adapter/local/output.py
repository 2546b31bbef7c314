"""Write to standard output, whatever its encoding, even if its reader is gone."""

import errno
import os
import sys
from io import TextIOWrapper
from typing import TextIO

import trio

GONE = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO})
"""Errors of writing once the reader or the terminal is gone."""

BROKEN_PIPE = 141
"""Exit status after SIGPIPE, as from a shell."""


class Output:
    """A text stream that accepts every character and survives its reader."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self.closed_by_reader = trio.Event()
        """Set once the reader is gone."""

    @property
    def encoding(self) -> str:
        """The stream's encoding."""
        return self._stream.encoding or "utf-8"

    @property
    def is_unicode(self) -> bool:
        """Whether the encoding has every character."""
        return self.encoding.lower().replace("-", "").startswith("utf")

    def write(self, text: str) -> int:
        """Write a text, unless the reader is gone."""
        try:
            if not self.closed_by_reader.is_set():
                self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            if not self.closed_by_reader.is_set():
                self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._stream.fileno()

    def _give_up(self, error: OSError) -> None:
        if error.errno not in GONE:
            raise error
        self.closed_by_reader.set()
        silence()


def silence() -> None:
    """Make the interpreter's own flush at exit succeed.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
