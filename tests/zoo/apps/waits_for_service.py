"""Tries to connect to a service until that is there, and says nothing."""

import socket
import time

from _serve import serve, text

while True:
    try:
        socket.create_connection(("127.0.0.1", 5439), timeout=1)
        break
    except OSError:
        time.sleep(0.5)
serve(lambda path: text("ok"))
