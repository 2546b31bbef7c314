"""Server-sent events without an end."""

import time
from http.server import ThreadingHTTPServer

from _serve import PORT, make

Base = make(
    lambda path: (200, {"Content-Type": "text/html"}, b'<a href="/events">events</a>')
)


class Handler(Base):
    def do_GET(self):
        if self.path != "/events":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        while True:
            self.wfile.write(b"data: x\n\n")
            time.sleep(0.3)


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
