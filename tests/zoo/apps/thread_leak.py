"""Starts a thread for each request, which stays."""

import threading

from _serve import serve, text


def respond(path):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return text("ok")


serve(respond)
