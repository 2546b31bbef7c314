"""A web application that does what a path says; it listens on $PORT.

``/bytes``       every byte there is, as octets
``/cookies``     two cookies
``/large/N``     N bytes of text
``/status/N``    a response with that status and no body
``/untyped``     text without a Content-Type
``/stream``      three server-sent events, $STEP seconds apart
``/events``      the body of the request, as a failure if it has the word "fail"
``/broken``      the beginning of a body, and then nothing but the end of the connection
``/hang``        nothing, ever; it says so on stderr
``/hold``        nothing, until ``/release`` is asked for; it prints its pid
``/stop``        nothing, for it stops the adapter
``/exit/N``      exits with status N
``/print/WORD``  prints the word
``/environ``     its environment, as lines
``/pid``         its pid
``/child``       the pid of a process that it starts, and that ignores SIGTERM
Any other        the request, as it came
"""

import http.server
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time

OCTETS = "application/octet-stream"
held = threading.Event()


class Kept(io.BufferedReader):
    """What comes from a client, and the lines of it that were read."""

    def __init__(self, raw: socket.SocketIO) -> None:
        super().__init__(raw)
        self.lines: list[bytes] = []

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        self.lines.append(line)
        return line


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile = self.kept = Kept(self.connection.makefile("rb", buffering=0))

    def handle_one_request(self) -> None:
        self.kept.lines.clear()
        super().handle_one_request()

    def respond(
        self,
        body: bytes = b"",
        kind: str = "text/plain",
        status: int = 200,
        **more: str,
    ) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what, _, argument = self.path.partition("?")[0].lstrip("/").partition("/")
        match what:
            case "bytes":
                self.respond(bytes(range(256)), OCTETS)
            case "cookies":
                self.send_response(200)
                self.send_header("Set-Cookie", "first=1; Path=/")
                self.send_header("Set-Cookie", "second=2; HttpOnly")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "large":
                self.respond(b"x" * int(argument))
            case "status":
                self.respond(status=int(argument))
            case "untyped":
                self.respond(b"plain", kind="")
            case "events":
                self.respond(body, status=500 if b"fail" in body else 200)
            case "stream":
                self.stream([b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"])
            case "broken":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"a beginning")
                self.close_connection = True
            case "hang":
                print("it hangs", file=sys.stderr, flush=True)
                threading.Event().wait()
            case "hold":
                print(f"{os.getpid()} holds", file=sys.stderr, flush=True)
                held.wait()
                self.respond(b"released")
            case "release":
                held.set()
                self.respond()
            case "stop":
                os.kill(os.getppid(), signal.SIGSTOP)
                threading.Event().wait()
            case "exit":
                os._exit(int(argument))
            case "print":
                print(argument, flush=True)
                self.respond()
            case "environ":
                lines = [f"{key}={value}" for key, value in sorted(os.environ.items())]
                self.respond("\n".join(lines).encode())
            case "pid":
                self.respond(str(os.getpid()).encode())
            case "child":
                ignoring = "trap '' TERM; while :; do sleep 1; done"
                child = subprocess.Popen(["sh", "-c", ignoring])
                self.respond(str(child.pid).encode())
            case _:
                self.respond(b"".join(self.kept.lines) + body, OCTETS)

    def stream(self, pieces: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(float(os.environ.get("STEP", "0.3")))
            self.wfile.write(piece)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    do_GET = do_HEAD = do_POST = do_PUT = do_PROPFIND = handle_one  # noqa: N815


class Server(http.server.ThreadingHTTPServer):
    """Serves all of them."""

    daemon_threads = True


if __name__ == "__main__":
    if os.environ.get("DESK_WAIT"):
        time.sleep(float(os.environ["DESK_WAIT"]))
    Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
