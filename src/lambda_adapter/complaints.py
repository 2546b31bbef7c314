"""What the command says when it can't start, before there is a logger.

Imported only then. Shell.
"""

from __future__ import annotations

import os
import sys

from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, ConfigError
from lambda_adapter.settings import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def give_up(error: AdapterError, environ: Mapping[str, str]) -> None:
    """Say why nothing can be served, in the log and, on Lambda, to Lambda."""
    complain(str(error))
    if not environ.get(RUNTIME_API):
        return
    try:
        runtime_api = Config({RUNTIME_API: environ[RUNTIME_API]}).runtime_api
    except ConfigError:  # which then is the error
        return
    from lambda_adapter.init_error import post_init_error

    if failure := post_init_error(runtime_api, error):
        complain(f"Lambda could not be told of the init error: {failure}")


def complain(message: str) -> None:
    """Write an error before there is a logger, in the format that is set for it."""
    line = f"lambda-adapter: {message}"
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        import json
        import time

        line = json.dumps(
            {
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
                "level": "ERROR",
                "logger": "lambda-adapter",
                "message": message,
            }
        )
    print(line, file=sys.stderr)
