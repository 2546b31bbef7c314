"""The far end of the benchmarks: what it hands out, and when."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]

ADAPTER = """
import socket, sys, time

api, app = (socket.create_connection(("127.0.0.1", int(port))) for port in sys.argv[1:])
until = time.monotonic() + 30

def exchange(sock, request):
    sock.sendall(request)
    sock.setblocking(False)
    busy = time.process_time() + 0.05
    while time.process_time() < busy:
        try:
            sys.exit(print(f"too early: {sock.recv(65536)!r}"))
        except BlockingIOError:
            pass
    sock.setblocking(True)
    return sock.recv(65536)

while time.monotonic() < until:
    path = b"/2018-06-01/runtime/invocation"
    event = exchange(api, b"GET %s/next HTTP/1.1\\r\\n\\r\\n" % path)
    print(event.partition(b"\\r\\n\\r\\n")[2].decode(), flush=True)
    exchange(app, b"GET / HTTP/1.1\\r\\n\\r\\n")
    request_id = event.split(b"Request-Id: ")[1].split()[0]
    reply = b'{"statusCode":200}'
    exchange(
        api,
        b"POST %s/%s/response HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s"
        % (path, request_id, len(reply), reply),
    )
"""

ORDERS = """
import socket, subprocess, sys
from bench.harness.far_end import start
from bench.harness.orders import Order

listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
ports = [str(each.getsockname()[1]) for each in listeners]
with start(*listeners, settles=True) as orders:
    adapter = subprocess.Popen([sys.executable, "-c", sys.argv[1], *ports])
    for count in 1, 2, 3:
        orders.send(Order([b'"a"', b'"b"', b'"c"'], count, adapter.pid))
        report = orders.recv()
        print(len(report.replied), "replies", flush=True)
    adapter.kill()
    adapter.wait()
"""


def test_the_far_end_of_the_counts():
    """Events are handed out in turn, each once every thread of the adapter sleeps.

    The adapter says it if something comes while it is busy, and then ends.
    """
    run = subprocess.run(
        [sys.executable, "-c", ORDERS, ADAPTER],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert run.stdout.split("\n") == [
        *('"a"', "1 replies"),
        *('"b"', '"c"', "2 replies"),
        *('"a"', '"b"', '"c"', "3 replies"),
        "",
    ], run.stderr


SEVERAL = """
import socket
from bench.harness.far_end import start
from bench.harness.orders import Order

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n"
REGISTER = b"POST /2020-01-01/extension/register HTTP/1.1\\r\\n\\r\\n"

api = socket.create_server(("127.0.0.1", 0))
with start(api, None, settles=False) as orders:
    orders.send(Order([b'"a"', b'"b"'], 2, 0, asking=2))
    first, second = (socket.create_connection(api.getsockname()) for _ in range(2))
    first.sendall(NEXT)
    for _ in range(3):
        # By the last of these replies, the far end has seen the request before.
        second.sendall(REGISTER)
        second.recv(65536)
    first.setblocking(False)
    try:
        print("too early:", first.recv(65536))
    except BlockingIOError:
        print("nothing yet")
    first.setblocking(True)
    second.sendall(NEXT)
    for sock in first, second:
        print(sock.recv(65536).partition(b"\\r\\n\\r\\n")[2].decode())
"""


def test_events_for_several_at_once():
    """No event is handed out before as many as are ordered ask, and each gets one."""
    run = subprocess.run(
        [sys.executable, "-c", SEVERAL],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert run.stdout.split("\n") == ["nothing yet", '"a"', '"b"', ""], run.stderr
