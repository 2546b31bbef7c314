"""The protocol of the far ends: processes that take orders, and report times.

An order is one line of JSON on stdin, a report one on stdout. So the process that
measures does nothing meanwhile.
"""

import socket
import sys
from collections.abc import Callable

import msgspec

ROOM = 8 << 20
"""Bytes that a message may have: more than Lambda sends or takes."""


class Order(msgspec.Struct, frozen=True):
    """So many invocations with this payload."""

    payload: str
    """The name of a file."""
    count: int
    launched: str
    """The file into which ``launch`` writes the adapter's process id."""


class Report(msgspec.Struct):
    """When things happened, in nanoseconds of CLOCK_MONOTONIC, by invocations."""

    sent: list[int] = []
    """Just before the event was written."""
    replied: list[int] = []
    """When the last byte of its reply was read."""
    turnarounds: list[int] = []
    """From just before the 202 to having read the next ``/next``."""
    asked: int = 0
    """When the first ``/next`` of all was read."""
    adapter_cpu: int = 0
    """CPU time that the adapter had used then."""
    first_reply: bytes = b""
    errors: int = 0
    """How many invocations ended in an error."""

    @property
    def times(self) -> list[float]:
        """Microseconds from each event to its reply."""
        pairs = zip(self.sent, self.replied, strict=True)
        return [(replied - sent) / 1e3 for sent, replied in pairs]


class Message:
    """A connection's buffer: one HTTP/1.1 message at a time, read in place."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
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
                got = self.socket.recv_into(view[self._used :])
            if not got:
                return False
            self._used += got
            if total < 0 and (end := self._bytes.find(b"\r\n\r\n", 0, self._used)) > 0:
                self._body = end + 4
                head = bytes(self._bytes[:end]).lower()
                if b"\r\ntransfer-encoding:" in head:
                    raise ValueError(f"the far end reads no chunks: {head!r}")
                _, _, rest = head.partition(b"\r\ncontent-length:")
                total = self._body + int(rest.partition(b"\r\n")[0] or b"0")
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


def take_orders(obey: Callable[[Order], Report], greeting: str) -> None:
    """Print the greeting, then obey and report until stdin ends."""
    print(greeting, flush=True)
    for line in sys.stdin.buffer:
        report = obey(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()
