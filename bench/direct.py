"""The far end of the floor: what an adapter would send, straight to the application.

``python -m bench.direct HOST:PORT`` takes the same orders as the stand-in for the
Runtime API; the payload is a whole HTTP request.
"""

import contextlib
import socket
import sys
import time

from bench.far_end import Message, Order, Report, take_orders

PAUSE = 0.01
"""Seconds between two attempts to connect to what starts, as in the adapters."""


class Client:
    """One connection to the application."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self._socket: socket.socket | None = None

    def obey(self, order: Order) -> Report:
        """Send what is ordered, one after the other."""
        with open(order.payload, "rb") as file:
            request = file.read()
        sock = self._socket = self._socket or self._connect()
        message = Message(sock)
        report = Report([], [], asked=time.monotonic_ns())
        for _ in range(order.count):
            report.sent.append(time.monotonic_ns())
            sock.sendall(request)
            message.receive()
            report.replied.append(time.monotonic_ns())
        return report

    def _connect(self) -> socket.socket:
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                sock = socket.create_connection(self._address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
            time.sleep(PAUSE)


if __name__ == "__main__":
    take_orders(Client(sys.argv[1]).obey, "ready")
