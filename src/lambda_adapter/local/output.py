"""Standard output, whatever is at its other end: an odd encoding, or nobody."""

import errno
import os
import sys
from io import TextIOWrapper
from typing import TextIO

import trio

GONE = frozenset({errno.EPIPE, errno.EIO, errno.ENXIO})
"""What writing brings once the reader, or the terminal, is gone."""

BROKEN_PIPE = 141
"""Exit status of what SIGPIPE ended, as from a shell."""


class Output:
    """A text stream that takes every character, and outlives its reader."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self.closed_by_reader = trio.Event()
        """Set once nobody reads any more."""

    @property
    def encoding(self) -> str:
        """The stream's encoding."""
        return self._stream.encoding or "utf-8"

    @property
    def is_unicode(self) -> bool:
        """Whether every character has a place in the encoding."""
        return self.encoding.lower().replace("-", "").startswith("utf")

    def write(self, text: str) -> int:
        """Write a text, unless nobody reads any more."""
        try:
            if not self.closed_by_reader.is_set():
                self._stream.write(text)
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Write what was kept back."""
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
    """Have the interpreter's own flush at the exit succeed.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
