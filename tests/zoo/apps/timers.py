"""A thread that refreshes something twice a second."""

import threading
import time

from _serve import serve, text


def work():
    while True:
        time.sleep(0.5)


threading.Thread(target=work, daemon=True).start()
serve(lambda path: text("ok"))
