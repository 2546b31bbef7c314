"""A server at a Unix socket, as nginx in front of it would want one."""

import http.server
import socketserver


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "unix"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


socketserver.ThreadingUnixStreamServer("/tmp/app.sock", Handler).serve_forever()
