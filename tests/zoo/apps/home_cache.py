"""A cache in HOME."""

import pathlib

from _serve import serve, text


def respond(path):
    folder = pathlib.Path.home() / ".cache" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return text("ok")


serve(respond)
