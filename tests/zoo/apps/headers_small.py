"""A server that takes 4 kB of headers."""

from http.server import ThreadingHTTPServer

from _serve import PORT, make, text

Base = make(lambda path: text("ok"))


class Handler(Base):
    def parse_request(self):
        parsed = super().parse_request()
        if parsed and len(str(self.headers)) > 4096:
            self.send_error(431)
            return False
        return parsed


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
