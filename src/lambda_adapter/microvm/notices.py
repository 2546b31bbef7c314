"""Write log lines in a MicroVM, without the adapter's logger."""

import os
import sys
import time

LEVELS = ("INFO", "WARNING", "ERROR")


def notice(message: str, level: str = "INFO") -> None:
    """Write one line, as text or, if configured, as JSON."""
    line = f"lambda-adapter: {message}"
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        import json  # 0.5 MB, for those who ask for it

        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "level": level,
            "logger": "lambda-adapter",
            "message": message,
        }
        line = json.dumps(fields)
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
