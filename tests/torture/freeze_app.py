"""An application that closes its idle connections, when told or after $IDLE seconds.

``CLOSE`` in place of a request closes all others, and gets a response once they are.
Any other gets how many there were, and on which connection this one came. It takes the
port from $PORT. It imports nothing of the tests.
"""

import contextlib
import itertools
import json
import os
import re
import socket
import threading

requests = itertools.count(1)
socks: list[socket.socket] = []
threads: list[threading.Thread] = []
closed = 0
"""Connections to this number are to be closed."""


def serve(sock: socket.socket, number: int) -> None:
    sock.settimeout(float(os.environ.get("IDLE", "60")))
    with sock, contextlib.suppress(OSError):
        while number > closed and (data := receive(sock)):
            if data.startswith(b"CLOSE"):
                close_others(number)
                sock.sendall(b"closed")
            else:
                answer(sock, number, data)


def receive(sock: socket.socket) -> bytes:
    """Return what has a whole head; nothing at the end."""
    data = sock.recv(65_536)
    while data and b"\r\n\r\n" not in data:
        data += sock.recv(65_536)
    return data


def close_others(number: int) -> None:
    global closed
    closed = number - 1
    for sock, thread in zip(socks[:closed], threads[:closed], strict=True):
        with contextlib.suppress(OSError):  # it is closed already
            sock.shutdown(socket.SHUT_RDWR)
        thread.join()


def answer(sock: socket.socket, number: int, data: bytes) -> None:
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: ([0-9]+)", head)
    while length and len(body) < int(length[1]):
        body += sock.recv(65_536)
    is_check = b"(readiness check)" in head
    said = {"request": 0 if is_check else next(requests), "connection": number}
    document = json.dumps(said).encode()
    fields = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
    sock.sendall(b"HTTP/1.1 200 OK\r\n" + fields % len(document) + document)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    while True:
        sock, _ = listener.accept()
        args = [sock, len(socks) + 1]
        socks.append(sock)
        threads.append(threading.Thread(target=serve, args=args, daemon=True))
        threads[-1].start()


if __name__ == "__main__":
    main()
