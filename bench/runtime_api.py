"""The far end: a stand-in for Lambda's Runtime API that costs little, always the same.

``python -m bench.runtime_api`` prints its address, then takes orders. A thread with a
blocking socket for each connection; an event is written by the thread that has read the
``/next``, so no thread waits for another between two time stamps. It also lets an
extension register, which then waits for an event that never comes.
"""

import itertools
import socket
import threading
import time

from bench.far_end import NEVER, Message, Order, Report, cpu_time, take_orders

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: %s\r\n"
    b"Lambda-Runtime-Deadline-Ms: %d\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: "
    b"arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"
    b"Lambda-Runtime-Trace-Id: "
    b"Root=1-665f0c1a-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0\r\n"
    b"Content-Length: %d\r\n\r\n"
)
ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
    b'Content-Length: 16\r\n\r\n{"status":"OK"}\n'
)
REGISTERED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Lambda-Extension-Identifier: 0b8d3c06-6d3c-4f7c-9a53-2a6a3f1b6c5e\r\n"
    b'Content-Length: 67\r\n\r\n{"functionName":"bench",'
    b'"functionVersion":"$LATEST","handler":"app"}'
)
TIMEOUT = 30
"""Seconds from an event to its deadline."""

PATIENCE = 60.0
"""Seconds for an order to get on by an invocation, before it is given up."""


class RuntimeApi:
    """Hands out one payload as often as it is told to, and writes down when."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._change = threading.Condition()
        self._ids = itertools.count(1)
        self._payload = b""
        self._left = 0
        self._adapter = ""
        self._asked = NEVER
        self._adapter_cpu = 0
        self._acknowledged = NEVER
        self._forget()

    def _forget(self) -> None:
        self._sent: dict[bytes, int] = {}
        self._replied: dict[bytes, int] = {}
        self._turnarounds: list[int] = []
        self._first_reply = b""
        self._errors = 0

    def accept(self) -> None:
        """Serve whoever connects, for ever."""
        while True:
            sock, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=[sock], daemon=True).start()

    def obey(self, order: Order) -> Report:
        """Hand out what is ordered, and report once all replies are in."""
        with open(order.payload, "rb") as file:
            payload = file.read()
        with self._change:
            self._forget()
            self._adapter, self._payload = order.adapter, payload
            self._left = order.count
            self._change.notify_all()
            done = -1
            while len(self._replied) < order.count and len(self._replied) > done:
                done = len(self._replied)
                self._change.wait_for(
                    lambda: len(self._replied) >= order.count, PATIENCE
                )
        return Report(
            [self._sent[key] for key in self._replied],
            list(self._replied.values()),
            self._turnarounds,
            self._asked,
            self._adapter_cpu,
            self._first_reply,
            self._errors,
        )

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        message = Message(sock)
        while message.receive():
            now = time.monotonic_ns()
            target = message.target
            if target.endswith(b"/invocation/next"):
                self._hand_out(sock, now)
            elif target.endswith(b"/register"):
                sock.sendall(REGISTERED)
            elif b"/runtime/" in target:
                self._take(sock, message, target, now)

    def _hand_out(self, sock: socket.socket, now: int) -> None:
        if not self._asked:
            self._asked, self._adapter_cpu = now, cpu_time(self._adapter)
        elif self._acknowledged:
            self._turnarounds.append(now - self._acknowledged)
        with self._change:
            while not self._left:
                self._change.wait()
            self._left -= 1
            request_id = b"%032x" % next(self._ids)
        deadline = int((time.time() + TIMEOUT) * 1000)
        event = HEAD % (request_id, deadline, len(self._payload)) + self._payload
        self._sent[request_id] = time.monotonic_ns()
        sock.sendall(event)

    def _take(
        self, sock: socket.socket, message: Message, target: bytes, now: int
    ) -> None:
        """Take a reply, or an error."""
        request_id, kind = target.split(b"/")[-2:]
        self._first_reply = self._first_reply or message.body
        self._errors += kind != b"response"
        sock.sendall(ACCEPTED)
        self._acknowledged = time.monotonic_ns()
        with self._change:
            self._replied[request_id] = now
            if not self._left:
                self._change.notify_all()


def main() -> None:
    """Serve on a port that the system chooses."""
    api = RuntimeApi()
    threading.Thread(target=api.accept, daemon=True).start()
    take_orders(api.obey, api.address)


if __name__ == "__main__":
    main()
