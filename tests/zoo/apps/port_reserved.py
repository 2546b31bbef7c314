"""A second server at the Runtime API's port."""

import threading

from _serve import serve, text

threading.Thread(
    target=serve,
    args=(lambda path: text("metrics"),),
    kwargs={"port": 9001},
    daemon=True,
).start()
serve(lambda path: text("ok"))
