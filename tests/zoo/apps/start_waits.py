"""A start that waits for 12 s."""

import time

from _serve import serve, text

time.sleep(12)
serve(lambda path: text("ok"))
