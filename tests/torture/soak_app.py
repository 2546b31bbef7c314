"""An application that fails as each request asks it to.

``/soak/WHAT/NUMBER/SIZE/TAKEN`` is in the path or, where an event is passed through, in
the body. The response is so many bytes that only this number has, and goes wrong as
WHAT says. TAKEN is how long the body of the request has to be, if that is known.

It takes the port from $PORT. It imports nothing of the tests.
"""

import contextlib
import os
import re
import socket
import struct
import sys
import threading

ASKED = re.compile(rb"/soak/([a-z-]+)/([0-9]+)/([0-9]+)/([0-9]+)")
seen: set[bytes] = set()
"""What was asked for ``once``."""


def content(number: int, size: int) -> bytes:
    """Return what only this number's response says."""
    word = b"%d." % number
    return (word * (size // len(word) + 1))[:size]


def serve(sock: socket.socket) -> None:
    with sock:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := sock.recv(65_536)):
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"\ncontent-length: ([0-9]+)", head)
            pieces, missing = [body], (int(length[1]) if length else 0) - len(body)
            while missing > 0:
                pieces.append(sock.recv(65_536))
                missing -= len(pieces[-1])
            if not answer(sock, head, b"".join(pieces)):
                return
            data = b""


def answer(sock: socket.socket, head: bytes, body: bytes) -> bool:
    """Respond, and return whether the connection goes on."""
    asked = ASKED.search(head) or ASKED.search(body[:1_000])
    if not asked:
        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        return True
    what, number = asked[1].decode(), asked[2]
    said = content(int(number), int(asked[3]))
    if asked[4] != b"0" and len(body) != int(asked[4]):
        said = b"not the body that was sent"
    if what == "once":
        if number not in seen:
            seen.add(number)
            return False
        what = "fine"
    return ANSWERS[what](sock, said)


def whole(said: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: image/png\r\n%scontent-length: %d\r\n\r\n"
    return head % (status, extra, len(said)) + said


def fine(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(whole(said))
    return True


def chunked(sock: socket.socket, said: bytes) -> bool:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    middle = len(said) // 2
    for piece in (said[:middle], said[middle:]):
        if piece:
            sock.sendall(head + b"%x\r\n%s\r\n" % (len(piece), piece))
            head = b""
    sock.sendall(head + b"0\r\n\r\n")
    return True


def refuse(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(whole(said, b"503 Not Now"))
    return True


def last(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(whole(said, extra=b"connection: close\r\n"))
    return False


def drop(sock: socket.socket, said: bytes) -> bool:
    """Respond, and hang up without a word: the end comes in one packet with the rest.

    If it came later, a request that nothing is wrong with might be under way already.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    sock.sendall(whole(said))
    return False


def closed(_sock: socket.socket, _said: bytes) -> bool:
    return False


def reset(sock: socket.socket, _said: bytes) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def garbage(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(b"\0" + said)
    return False


def half_head(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(whole(said)[:40])
    return False


def half_body(sock: socket.socket, said: bytes) -> bool:
    sock.sendall(whole(said + said)[: -len(said)])
    return False


def stall(sock: socket.socket, _said: bytes) -> bool:
    while sock.recv(65_536):
        pass
    return False


ANSWERS = {
    "fine": fine,
    "chunked": chunked,
    "refuse": refuse,
    "last": last,
    "drop": drop,
    "closed": closed,
    "reset": reset,
    "garbage": garbage,
    "half-head": half_head,
    "half-body": half_body,
    "stall": stall,
}


def serve_quietly(sock: socket.socket) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        serve(sock)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=99)
    sys.setswitchinterval(0.001)
    while True:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve_quietly, args=[accepted], daemon=True).start()
