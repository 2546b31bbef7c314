"""A web application that responds to each request with the bytes of that request.

It takes the port as its argument.
"""

import socketserver
import sys


class Mirror(socketserver.StreamRequestHandler):
    """Serves one connection."""

    def handle(self) -> None:
        while head := self.read_head():
            length = 0
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b": ")
                if name.lower() == b"content-length":
                    length = int(value)
            seen = head + self.rfile.read(length)
            said = (
                b"content-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n"
            )
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + said % len(seen) + seen)

    def read_head(self) -> bytes:
        head = b""
        for line in self.rfile:
            head += line
            if line == b"\r\n":
                break
        return head


class Server(socketserver.ThreadingTCPServer):
    """Serves all of them."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Mirror).serve_forever()
