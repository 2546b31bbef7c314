"""What an environment prints, line by line. Shell."""

import fcntl
import struct
import termios
from collections.abc import Callable

import trio

MAX_LINE = 16_384
"""Bytes of a line; a longer one is cut into several."""


class Log:
    """A pipe that the adapter and its application write to."""

    def __init__(
        self, pipe: trio.lowlevel.FdStream, on_line: Callable[[str], None]
    ) -> None:
        self._pipe = pipe
        self._on_line = on_line
        self._rest = b""

    async def run(self) -> None:
        """Read until every writer has closed it, then close it."""
        async with self._pipe:
            async for data in self._pipe:
                self._take(bytes(data))
        if self._rest:
            self._tell(self._rest)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
        while len(self._rest) > MAX_LINE:
            self._tell(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]

    def _tell(self, line: bytes) -> None:
        self._on_line(line.rstrip(b"\r").decode("utf-8", "replace"))

    def unread(self) -> int:
        """Return how many bytes have been written and not been read.

        https://man7.org/linux/man-pages/man2/FIONREAD.2const.html
        """
        try:
            said = fcntl.ioctl(self._pipe.fileno(), termios.FIONREAD, bytes(4))
        except (OSError, ValueError):  # closed
            return 0
        (count,) = struct.unpack("i", said)
        return int(count)
