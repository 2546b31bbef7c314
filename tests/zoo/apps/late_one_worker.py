"""One worker, and a page that takes longer than the function."""

import time
from http.server import HTTPServer

from _serve import html, serve, text


def respond(path):
    if path == "/slow":
        time.sleep(40)
        return text("late")
    return html('<a href="/slow">slow</a>')


serve(respond, kind=HTTPServer)
