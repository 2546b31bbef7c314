"""A WSGI application: /slow takes 30 s, and /compute as much of the CPU.

/exit/3 ends the process with status 3. All else responds with its number.
"""

import os
import time


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(30)
    if path == "/compute":
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass
    if path.startswith("/exit/"):
        os._exit(int(path.removeprefix("/exit/")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
