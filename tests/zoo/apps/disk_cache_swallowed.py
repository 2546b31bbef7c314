"""A cache beside the application, whose failure is swallowed."""

import os

from _serve import serve, text


def respond(path):
    try:
        os.makedirs("cache", exist_ok=True)
        with open("cache/page", "w") as file:
            file.write("x")
    except OSError:
        pass
    return text("ok")


serve(respond)
