"""The FastAPI example, with 50 MB of data that it has loaded: a list of lines."""

import importlib
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "examples" / "fastapi"))
app = importlib.import_module("app").app

LINES = [b"%0100d" % number for number in range(330_000)]
