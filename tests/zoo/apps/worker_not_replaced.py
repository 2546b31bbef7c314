"""A parent that holds the port, and a worker that nobody starts again."""

import os
import signal
import socket
import time
from http.server import HTTPServer

from _serve import PORT, make, text

listener = socket.create_server(("127.0.0.1", PORT))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    server = HTTPServer(
        ("127.0.0.1", PORT), make(lambda path: text("ok")), bind_and_activate=False
    )
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()
    server.serve_forever()
while True:
    time.sleep(60)
