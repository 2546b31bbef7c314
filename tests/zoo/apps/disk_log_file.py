"""A log file beside the application, opened at import."""

import logging

from _serve import serve, text

logging.basicConfig(filename="app.log", level="INFO")
serve(lambda path: text("ok"))
