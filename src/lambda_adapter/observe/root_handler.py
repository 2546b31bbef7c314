"""The root logger's handler of AWS's Python runtime, for applications in this process.

``logging.getLogger().setLevel("INFO")`` is all that a Lambda function's code does about
logging, since that runtime has a handler there before it imports the code. So does this
adapter, with the same format. An application's own configuration takes its place, as it
does there: ``basicConfig(force=True)``, ``dictConfig``.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
Imported only where an application runs in this process.
"""

import logging
import sys
import time

from lambda_adapter.observe.logs import current_request_id, current_tenant_id

TEXT = (
    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
    "%Y-%m-%dT%H:%M:%S",
)
"""https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py"""


class RootHandler(logging.Handler):
    """Writes records to what is standard output at that time, each with its end."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            sys.stdout.write(self.format(record))
        except Exception:  # a handler's contract: logging never fails its caller
            self.handleError(record)


def add_ids(record: logging.LogRecord) -> bool:
    """Give a record the attributes that AWS's runtime gives it."""
    record.aws_request_id = current_request_id()
    record.tenant_id = current_tenant_id() or None
    return True


def add_root_handler(log_format: str, log_level: str) -> None:
    """Give the root logger a handler, unless it has one.

    Both are Lambda's: ``JSON`` or anything else, and the root logger's level, if it is
    a level.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    handler = RootHandler()
    handler.addFilter(add_ids)
    handler.setFormatter(_formatter(log_format))
    level = {"TRACE": "DEBUG"}.get(log_level.upper(), log_level.upper())
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)
    root.addHandler(handler)


def _formatter(log_format: str) -> logging.Formatter:
    if log_format.upper() == "JSON":
        from lambda_adapter.observe.root_json import JsonFormatter

        return JsonFormatter()
    formatter = logging.Formatter(*TEXT)
    formatter.converter = time.gmtime
    return formatter
