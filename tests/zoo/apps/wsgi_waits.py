"""An import that waits for a minute, behind a server whose port is open by then."""

import time

time.sleep(60)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
