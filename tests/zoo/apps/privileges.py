"""Gives up root at start, as a daemon does."""

import os

from _serve import serve, text

os.setgid(65534)
os.setuid(65534)
serve(lambda path: text("ok"))
