"""A start that fails for a missing variable."""

import os

from _serve import serve, text

url = os.environ["DATABASE_URL_OF_THE_ZOO"]
serve(lambda path: text("ok"))
