"""A thread that computes all the time."""

import threading

from _serve import serve, text


def work():
    while True:
        sum(range(10_000))


threading.Thread(target=work, daemon=True).start()
serve(lambda path: text("ok"))
