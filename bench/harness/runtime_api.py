"""A stand-in for Lambda's Runtime API that costs little, always the same: one thread.

``python -m bench.harness.runtime_api`` prints its address, then takes orders. An
extension may register, and then waits for an event that never comes.

With a PORT as its argument it is the far end of the counts: it plays the application
there as well, and sends nothing before every thread of the adapter sleeps. A response
that is sent at once sometimes arrives before the adapter's ``recv``, which then costs
65,000 instructions less: no two runs would count the same.
"""

import itertools
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.harness.far_end import Message, Order, Report, take_orders

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: %032x\r\n"
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
APPLICATION = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
    b"content-length: %d\r\n\r\n"
)

EVENT_TIMEOUT = 300
"""Seconds from an event to its deadline: enough under valgrind."""

PATIENCE = 60.0
"""Seconds without a request after which an order is given up."""

LOOKS = 3
"""How many looks in a row must find every thread asleep."""

LOOK_INTERVAL = 0.0005
"""Seconds between two looks."""


class FarEnd:
    """Hands out one payload as often as it is ordered to, and keeps the times."""

    def __init__(self, port: int | None) -> None:
        self._selector = selectors.DefaultSelector()
        self.address = "{}:{}".format(*self._listen(0))
        self._settles = port is not None
        if port is not None:
            self._listen(port)
        self._ids = itertools.count(1)
        self._idle: list[socket.socket] = []
        """Connections that wait for an event."""
        self._asked = self._adapter_cpu = self._accepted = 0

    def _listen(self, port: int) -> tuple[str, int]:
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._selector.register(listener, selectors.EVENT_READ)
        address: tuple[str, int] = listener.getsockname()
        return address

    def obey(self, order: Order) -> Report:
        """Hand out what is ordered, and report once all replies are in.

        The counts' far end waits until the adapter has asked for another event as well.
        """
        payload = Path(order.payload).read_bytes()
        report = Report()
        self._sent: dict[int, int] = {}
        left = order.count
        while len(report.replied) < order.count or (self._settles and not self._idle):
            while left and self._idle:
                left -= 1
                self._send_event(self._idle.pop(0), payload)
            ready = self._selector.select(PATIENCE)
            if not ready:
                break
            for key, _ in ready:
                if key.data is None:
                    sock, _ = key.fileobj.accept()  # type: ignore[union-attr]
                    self._selector.register(sock, selectors.EVENT_READ, Message(sock))
                elif not key.data.receive():
                    self._selector.unregister(key.fileobj)
                    key.data.socket.close()
                else:
                    self._serve(key.data, time.monotonic_ns(), order, report)
        report.asked, report.adapter_cpu = self._asked, self._adapter_cpu
        return report

    def _send_event(self, sock: socket.socket, payload: bytes) -> None:
        number = next(self._ids)
        deadline = int((time.time() + EVENT_TIMEOUT) * 1000)
        event = HEAD % (number, deadline, len(payload)) + payload
        self._sent[number] = time.monotonic_ns()
        sock.sendall(event)

    def _serve(self, message: Message, now: int, order: Order, report: Report) -> None:
        """Send the response to a request; to ``/next``, the loop sends it."""
        target = message.target
        if target.endswith(b"/extension/event/next"):
            return
        if self._settles:
            _settle(_process_id(order))
        if target.endswith(b"/invocation/next"):
            if not self._asked:
                self._asked, self._adapter_cpu = now, _cpu_time(_process_id(order))
            elif self._accepted:
                report.turnarounds.append(now - self._accepted)
            self._idle.append(message.socket)
        elif target.endswith(b"/extension/register"):
            message.socket.sendall(REGISTERED)
        elif target.startswith(b"/2018-06-01/runtime/"):
            # Stamped first: on one core, the adapter may run before this does again.
            self._accepted = time.monotonic_ns()
            message.socket.sendall(ACCEPTED)
            request_id, kind = target.split(b"/")[-2:]
            report.errors += kind != b"response"
            report.first_reply = report.first_reply or message.body
            report.replied.append(now)
            # A failed start has no event.
            report.sent.append(self._sent.get(int(request_id, 16), now))
        else:
            body = message.body or b"ok"
            message.socket.sendall(APPLICATION % len(body) + body)


def _process_id(order: Order) -> int:
    return int(Path(order.launched).read_text().split()[1])


def _cpu_time(pid: int) -> int:
    """Return the CPU time of a process, all its threads, in nanoseconds.

    The kernel numbers the clock of a process so:
    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def _settle(pid: int) -> None:
    """Wait until all threads of a process and of its children sleep.

    Raises:
        TimeoutError: they do not.
    """
    give_up = time.monotonic() + PATIENCE
    looks = 0
    while looks < LOOKS:
        if time.monotonic() > give_up:
            raise TimeoutError(f"the adapter is not asleep within {PATIENCE} s")
        time.sleep(LOOK_INTERVAL)
        looks = looks + 1 if set(_states(pid)) == {"S"} else 0


def _states(pid: int) -> Iterator[str]:
    """Return the state of each thread, "S" for one that sleeps.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield (task / "stat").read_text().rpartition(")")[2].split()[0]
            for child in (task / "children").read_text().split():
                yield from _states(int(child))
    except OSError:
        yield "ended meanwhile"


if __name__ == "__main__":
    far_end = FarEnd(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    take_orders(far_end.obey, far_end.address)
