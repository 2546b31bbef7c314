"""The far end without an adapter: an HTTP client of the application.

``python -m bench.harness.client PORT`` takes the same orders as the stand-in for the
Runtime API; the payload is a whole HTTP request.
"""

import contextlib
import socket
import sys
import time
from pathlib import Path

from bench.harness.far_end import Message, Order, Report, take_orders

POLL_INTERVAL = 0.01
"""Seconds between two attempts to connect to an application that starts."""


class Client:
    """One connection to the application, made by the first order."""

    def __init__(self, port: int) -> None:
        self._address = "127.0.0.1", port
        self._message: Message | None = None

    def obey(self, order: Order) -> Report:
        """Send what is ordered, one after the other."""
        request = Path(order.payload).read_bytes()
        message = self._message = self._message or self._connect()
        report = Report()
        for _ in range(order.count):
            report.sent.append(time.monotonic_ns())
            message.socket.sendall(request)
            message.receive()
            report.replied.append(time.monotonic_ns())
        return report

    def _connect(self) -> Message:
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                return Message(socket.create_connection(self._address))
            time.sleep(POLL_INTERVAL)


if __name__ == "__main__":
    take_orders(Client(int(sys.argv[1])).obey, "ready")
