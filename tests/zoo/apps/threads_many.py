"""More threads than there may be."""

import threading

from _serve import serve, text

for _ in range(1200):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
serve(lambda path: text("ok"))
