"""The root takes two seconds."""

import time

from _serve import serve, text


def respond(path):
    time.sleep(2)
    return text("ok")


serve(respond)
