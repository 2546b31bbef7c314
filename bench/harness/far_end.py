"""A stand-in for Lambda's Runtime API that costs little, always the same: one thread.

It is a process of its own, so that the one that measures does nothing meanwhile, and
takes its orders from a pipe. An extension may register; it then waits for an event that
never comes.

For the counts it plays the application as well, and sends nothing before all threads of
the adapter sleep. A response that is sent at once may arrive before the adapter's
``recv``, which then costs 65,000 instructions less: no two runs would count the same.
"""

import contextlib
import itertools
import multiprocessing
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import BinaryIO

from bench.harness.adapter import cpu_time, settle
from bench.harness.orders import Order, Report

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: 4ae0f1b2-7d1c-4d3e-9a53-%012x\r\n"
    b"Lambda-Runtime-Deadline-Ms: %d\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: "
    b"arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"
    b"Lambda-Runtime-Trace-Id: "
    b"Root=1-665f0c1a-%024x;Parent=0123456789abcdef;Sampled=0\r\n"
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
APPLICATION = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
    b"content-length: %d\r\n\r\n"
)
OK = re.compile(rb'\{"statusCode": ?200\b')

EVENT_TIMEOUT = 300
"""Seconds from an event to its deadline: enough under valgrind."""

PATIENCE = 300.0
"""Seconds, many under valgrind, without a request after which an order is given up."""


class FarEnd:
    """Hands out events as often as it is ordered to, and keeps the times."""

    def __init__(
        self, api: socket.socket, app: socket.socket | None, *, settles: bool
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(api, selectors.EVENT_READ)
        self._settles = settles
        if app:
            self._selector.register(app, selectors.EVENT_READ)
        self._ids = itertools.count()
        self._idle: list[socket.socket] = []
        """Connections that wait for an event."""
        self._sent: dict[int, int] = {}
        self._asked = self._adapter_cpu = self._accepted = 0

    def obey(self, order: Order) -> Report:
        """Hand out what is ordered, and report once all replies are in.

        The counts' far end waits until the adapter has asked for another event as well.
        """
        report = Report()
        left, asking = order.count, order.asking
        while len(report.replied) < order.count or (self._settles and not self._idle):
            while left and len(self._idle) >= asking:
                left, asking = left - 1, 1
                self._send_event(self._idle.pop(0), order.events)
            ready = self._selector.select(PATIENCE)
            if not ready:
                break
            for key, _ in ready:
                sock, stream = key.fileobj, key.data
                assert isinstance(sock, socket.socket)
                if stream is None:
                    self._accept(sock)
                elif message := _read(stream):
                    self._serve(sock, *message, time.monotonic_ns(), order, report)
                else:
                    self._selector.unregister(sock)
                    sock.close()
        report.asked, report.adapter_cpu = self._asked, self._adapter_cpu
        return report

    def _send_event(self, sock: socket.socket, events: Sequence[bytes]) -> None:
        number = next(self._ids)
        payload = events[number % len(events)]
        deadline = int((time.time() + EVENT_TIMEOUT) * 1000)
        event = HEAD % (number, deadline, number, len(payload)) + payload
        self._sent[number] = time.monotonic_ns()
        sock.sendall(event)

    def _accept(self, listener: socket.socket) -> None:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(sock, selectors.EVENT_READ, sock.makefile("rb"))

    def _serve(
        self,
        sock: socket.socket,
        target: bytes,
        body: bytes,
        now: int,
        order: Order,
        report: Report,
    ) -> None:
        """Send the response to a request; to ``/next``, the loop sends it."""
        if target.endswith(b"/extension/event/next"):
            return
        if self._settles:
            settle(order.adapter)
        if target.endswith(b"/invocation/next"):
            if not self._asked:
                self._asked, self._adapter_cpu = now, cpu_time(order.adapter)
            elif self._accepted:
                report.turnarounds.append(now - self._accepted)
            self._idle.append(sock)
        elif target.endswith(b"/extension/register"):
            sock.sendall(REGISTERED)
        elif target.startswith(b"/2018-06-01/runtime/"):
            # Stamped first: on one core, the adapter may run before this does again.
            self._accepted = time.monotonic_ns()
            sock.sendall(ACCEPTED)
            if not OK.match(body):
                raise ValueError(f"no reply: {target!r} {body[:1000]!r}")
            report.sent.append(self._sent.pop(int(target.split(b"/")[-2][-12:], 16)))
            report.replied.append(now)
        else:
            body = body or b"ok"
            sock.sendall(APPLICATION % len(body) + body)


def _read(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """Return the target and the body of the next request, if there is one."""
    line = stream.readline()
    length, is_chunked = 0, False
    while line and (field := stream.readline().lower()) != b"\r\n":
        name, _, value = field.partition(b":")
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            is_chunked = True
    if not line:
        return None
    body = _read_chunks(stream) if is_chunked else stream.read(length)
    return line.split(b" ")[1], body


def _read_chunks(stream: BinaryIO) -> bytes:
    """Read a streamed reply to its end, and return its prelude and first piece."""
    first = b""
    while length := int(stream.readline(), 16):
        piece = stream.read(length)
        first += piece[: 1_000 - len(first)]
        stream.readline()
    while stream.readline() not in {b"\r\n", b""}:  # trailers
        pass
    return first


@contextlib.contextmanager
def start(
    api: socket.socket, app: socket.socket | None, *, settles: bool
) -> Iterator[Connection]:
    """Start the far end; it takes an Order and sends a Report, until it is ended.

    With ``app`` it is the application as well. If it ``settles``, it sends nothing
    before every thread of the adapter sleeps.
    """
    context = multiprocessing.get_context("fork")
    orders, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, orders, api, app, settles))
    process.start()
    theirs.close()
    try:
        yield orders
    finally:
        process.kill()
        process.join()
        orders.close()


def _work(
    orders: Connection,
    far_side: Connection,
    api: socket.socket,
    app: socket.socket | None,
    settles: bool,
) -> None:
    far_side.close()  # so that the end of the process that measures is seen
    far_end = FarEnd(api, app, settles=settles)
    with contextlib.suppress(EOFError):
        while True:
            orders.send(far_end.obey(orders.recv()))
