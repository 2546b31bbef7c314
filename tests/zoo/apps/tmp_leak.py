"""Leaves a file in /tmp for each request."""

import tempfile

from _serve import serve, text


def respond(path):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(bytes(200_000))
    return text("ok")


serve(respond)
