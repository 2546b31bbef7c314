"""A web application that responds to each request with the bytes of that request.

If the event is not HTTP, they are a JSON string, since the reply to such an event is
JSON. It takes the port as its argument.
"""

import json
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
            media_type = b"application/octet-stream"
            if head.startswith(b"POST /events "):
                media_type = b"application/json"
                seen = json.dumps(seen.decode("latin-1")).encode()
            said = b"content-type: %s\r\ncontent-length: %d\r\n\r\n"
            said %= media_type, len(seen)
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + said + seen)

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
