"""SIGTERM is ignored."""

import signal

from _serve import serve, text

signal.signal(signal.SIGTERM, signal.SIG_IGN)
serve(lambda path: text("ok"))
