"""An ASGI application in the runtime's own process: Mangum on AWS's runtime client.

``python -m awslambdaric with_mangum.handler``; $BENCH_ASGI names the application.
"""

import importlib
import os

from mangum import Mangum

module, _, name = os.environ["BENCH_ASGI"].partition(":")
handler = Mangum(getattr(importlib.import_module(module), name), lifespan="off")
