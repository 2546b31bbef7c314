"""What an invocation is measured from: a process that takes orders and reports.

An order is one line of JSON on stdin, a report one on stdout. So whoever measures does
nothing while it is measured, and what is measured sees no difference between rounds.
"""

import socket
import sys
import time
from collections.abc import Callable

import msgspec

ROOM = 8 << 20
"""Bytes that a message may have: more than Lambda takes or gives."""

NEVER = 0
"""The time of what did not happen."""


class Order(msgspec.Struct, frozen=True):
    """So many invocations with this payload. Or a look, with none of them."""

    payload: str
    """The name of a file."""
    count: int
    adapter: str = ""
    """The name of the file in which ``launch`` says who the adapter is."""


class Report(msgspec.Struct, frozen=True):
    """When things happened, in nanoseconds of CLOCK_MONOTONIC, by invocations."""

    sent: list[int]
    """Just before the event was written."""
    replied: list[int]
    """When the last byte of its reply was read."""
    turnarounds: list[int] = []
    """From writing that the reply was taken to having read the next ``/next``."""
    asked: int = NEVER
    """When the first ``/next`` of all was read."""
    adapter_cpu: int = 0
    """CPU time that the adapter had used then."""
    first_reply: bytes = b""
    errors: int = 0
    """How many invocations came back as errors."""


class Message:
    """A connection's buffer: one HTTP/1.1 message at a time, read in place."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._bytes = bytearray(65_536)
        self._used = 0
        self._body = 0

    def receive(self) -> bool:
        """Read the next message to its last byte; return whether there is one."""
        self._used = self._body = 0
        total = -1
        while self._used != total:
            if self._used == len(self._bytes):
                self._bytes = bytearray(self._bytes) + bytes(ROOM - self._used)
            with memoryview(self._bytes) as view:
                got = self._socket.recv_into(view[self._used :])
            if not got:
                return False
            self._used += got
            if total < 0 and (end := self._bytes.find(b"\r\n\r\n", 0, self._used)) > 0:
                self._body = end + 4
                total = self._body + _content_length(bytes(self._bytes[:end]).lower())
        return True

    @property
    def target(self) -> bytes:
        """The target of a request."""
        line = bytes(self._bytes[: self._bytes.index(b"\r\n")])
        return line.split(b" ")[1]

    @property
    def body(self) -> bytes:
        """A copy of the body."""
        return bytes(self._bytes[self._body : self._used])


def _content_length(head: bytes) -> int:
    if b"\r\ntransfer-encoding:" in head:
        raise ValueError(f"not for benchmarks: {head!r}")
    _, _, rest = head.partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or b"0")


def cpu_time(launched: str) -> int:
    """Return the CPU time of a process, all its threads, in nanoseconds.

    The kernel numbers the clock of a process so:
    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    try:
        with open(launched) as file:
            pid = int(file.read().split()[1])
        return time.clock_gettime_ns((~pid << 3) | 2)
    except (OSError, IndexError):
        return 0


def take_orders(obey: Callable[[Order], Report], greeting: str) -> None:
    """Say something, then answer each order by its report until stdin ends."""
    print(greeting, flush=True)
    decoder, encoder = msgspec.json.Decoder(Order), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        report = encoder.encode(obey(decoder.decode(line)))
        sys.stdout.buffer.write(report + b"\n")
        sys.stdout.buffer.flush()
