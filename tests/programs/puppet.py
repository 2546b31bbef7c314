"""A web application that does what the request asks it to, down to the byte.

``GET /``            200, or the status of $PUPPET_READY, or nothing if that is "hang"
``... /seen...``     200, and as body the request as it came, head and body
``... /say``         the body of the request, as raw bytes; then what ``x-then`` says:
                     ``close`` (as without it), ``keep`` or ``hold`` the connection,
                     or ``die`` a moment after it was closed
``... /hang``        nothing, ever; it says so on stderr
``... /early``       413 before the body of the request is read, then hold
``... /exit/N``      exits with status N
``... /kill``        is killed
``... /environ``     its environment, as lines
``... /count``       how many requests came before this one, readiness checks left out
Any other            200, and as body the body of the request

It takes the port as its argument, $PORT as its default, or listens on the Unix socket
$AWS_LWA_UNIX_SOCKET. $PUPPET_IGNORE_TERM makes it
ignore SIGTERM, otherwise it exits with status 0, after $PUPPET_LINGER seconds; it
appends each SIGTERM to $PUPPET_LOG.
"""

import os
import signal
import socket
import sys
import threading
import time

requests = 0


def main() -> None:
    signal.signal(signal.SIGTERM, terminate)
    if path := os.environ.get("AWS_LWA_UNIX_SOCKET"):
        listener = socket.create_server(path, family=socket.AF_UNIX)
    else:
        port = int(sys.argv[1] if len(sys.argv) > 1 else os.environ["PORT"])
        listener = socket.create_server(("127.0.0.1", port))
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=[sock], daemon=True).start()


def terminate(number: int, _frame: object) -> None:
    if path := os.environ.get("PUPPET_LOG"):
        with open(path, "a") as log:
            log.write("SIGTERM\n")
    print("the puppet ends", file=sys.stderr, flush=True)
    if not os.environ.get("PUPPET_IGNORE_TERM"):
        # A signal that comes meanwhile is written down as well, before this goes on.
        time.sleep(float(os.environ.get("PUPPET_LINGER", "0")))
        os._exit(0)


def serve(sock: socket.socket) -> None:
    with sock:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                data = sock.recv(65536)
                if not data:
                    return
                head += data
            head, _, body = head.partition(b"\r\n\r\n")
            fields = {
                name.lower(): value
                for line in head.split(b"\r\n")[1:]
                for name, _, value in [line.partition(b": ")]
            }
            target = head.split(b" ")[1]
            if target == b"/early":
                sock.sendall(b"HTTP/1.1 413 No\r\ncontent-length: 5\r\n\r\nearly")
                hold()
            while len(body) < int(fields.get(b"content-length", 0)):
                body += sock.recv(65536)
            if not answer(sock, target, head + b"\r\n\r\n", fields, body):
                return


def answer(
    sock: socket.socket,
    target: bytes,
    head: bytes,
    fields: dict[bytes, bytes],
    body: bytes,
) -> bool:
    """Respond, and return whether the connection stays open."""
    global requests
    if target == b"/" and b"readiness" in fields.get(b"user-agent", b""):
        ready = os.environ.get("PUPPET_READY", "200")
        if ready != "200":
            print("the puppet is not ready", file=sys.stderr, flush=True)
        if ready == "hang":
            hold()
        sock.sendall(b"HTTP/1.1 %s X\r\ncontent-length: 0\r\n\r\n" % ready.encode())
        return True
    requests += 1
    if target.startswith(b"/seen"):
        reply(sock, head + body, b"application/octet-stream")
    elif target == b"/say":
        sock.sendall(body)
        then = fields.get(b"x-then", b"close")
        if then == b"hold":
            hold()
        if then == b"die":
            sock.close()
            time.sleep(0.01)  # a process closes its connections before it has ended
            os.kill(os.getpid(), signal.SIGKILL)
        return then == b"keep"
    elif target == b"/hang":
        print("the puppet hangs", file=sys.stderr, flush=True)
        hold()
    elif target.startswith(b"/exit/"):
        os._exit(int(target[6:]))
    elif target == b"/kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif target == b"/environ":
        lines = [f"{name}={value}" for name, value in sorted(os.environ.items())]
        reply(sock, "\n".join(lines).encode(), b"text/plain")
    elif target == b"/count":
        reply(sock, b"%d" % (requests - 1), b"text/plain")
    else:
        reply(sock, body, fields.get(b"content-type", b"text/plain"))
    return True


def reply(sock: socket.socket, body: bytes, media_type: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
    sock.sendall(head % (media_type, len(body)) + body)


def hold() -> None:
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
