"""Give the root logger the handler that AWS's Python runtime gives it.

The code of a Lambda function often does no more about logging than
``logging.getLogger().setLevel("INFO")``, since AWS's runtime adds a handler before it
imports the code. So does this adapter, with the same format. As there, an application
may replace it with its own configuration: ``basicConfig(force=True)``, ``dictConfig``.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
Imported only if an application runs in this process.
"""

import contextlib
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
    """Writes records to the current ``sys.stdout``, which may have been replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line."""
        try:
            text = self.format(record)
            # AWS's format ends with one. A formatter that an application sets, such as
            # python-json-logger's, need not: there, each record has a frame.
            _write(text if text.endswith("\n") else f"{text}\n")
        except Exception:  # by a handler's contract, logging must not fail its caller
            # It prints to ``sys.stderr``, and raises where that is closed as well.
            with contextlib.suppress(Exception):
                self.handleError(record)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # a lone surrogate, or a stdout in ASCII
        encoding = sys.stdout.encoding
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def add_ids(record: logging.LogRecord) -> bool:
    """Add the attributes that AWS's runtime adds to a record."""
    record.aws_request_id = current_request_id()
    record.tenant_id = current_tenant_id() or None
    return True


def add_root_handler(log_format: str, log_level: str) -> None:
    """Add a handler to the root logger, unless it has one.

    Args:
        log_format: Lambda's log format: ``JSON``, anything else means text.
        log_level: Lambda's log level for the root logger; an unknown one is ignored.
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
