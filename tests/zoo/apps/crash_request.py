"""A request that ends the process."""

import os

from _serve import html, serve


def respond(path):
    if path == "/crash":
        os._exit(3)
    return html('<a href="/crash">crash</a>')


serve(respond)
