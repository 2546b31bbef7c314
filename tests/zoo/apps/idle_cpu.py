"""A thread that computes again and again, a fifth of the time."""

import threading
import time

from _serve import serve, text


def work():
    while True:
        sum(range(300_000))
        time.sleep(0.02)


threading.Thread(target=work, daemon=True).start()
serve(lambda path: text("ok"))
