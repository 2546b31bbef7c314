"""A WSGI application in the runtime's own process: apig-wsgi on AWS's runtime client.

``python -m awslambdaric with_apig_wsgi.handler``; $BENCH_WSGI names the application.
"""

import importlib
import os

from apig_wsgi import make_lambda_handler

module, _, name = os.environ["BENCH_WSGI"].partition(":")
handler = make_lambda_handler(getattr(importlib.import_module(module), name))
