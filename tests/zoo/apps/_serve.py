"""A small server for the zoo: a function from a path to a response."""

import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

Response = tuple[int, dict[str, str], bytes]
PORT = int(os.environ.get("PORT", "8080"))


def text(body: str, status: int = 200) -> Response:
    return status, {"Content-Type": "text/plain"}, body.encode()


def html(body: str) -> Response:
    return 200, {"Content-Type": "text/html"}, body.encode()


def make(respond: Callable[[str], Response]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, fields, body = respond(self.path)
            except Exception as error:
                print(f"{type(error).__name__}: {error}", flush=True)
                status, fields, body = text("Internal Server Error", 500)
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def serve(
    respond: Callable[[str], Response],
    host: str = "127.0.0.1",
    port: int = PORT,
    kind: type[HTTPServer] = ThreadingHTTPServer,
) -> None:
    kind.daemon_threads = True  # type: ignore[attr-defined]
    kind((host, port), make(respond)).serve_forever()
