"""A lock of multiprocessing, at start."""

import multiprocessing

from _serve import serve, text

lock = multiprocessing.Lock()
serve(lambda path: text("ok"))
