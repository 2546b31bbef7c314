"""Format an application's log records in JSON, as AWS's Python runtime does.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html#python-logging-advanced-JSON
The keys and their values follow
https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_log_utils.py
Imported only if AWS_LAMBDA_LOG_FORMAT=JSON.
"""

import json
import logging
import time
import traceback

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {
    "aws_request_id",
    "tenant_id",
    "_frame_type",
    "message",
    "asctime",
}
"""Attributes that do not come from an application's ``extra``."""


def _text_of(value: object) -> str:
    """Return a value's text, or what says that it has none."""
    try:
        return str(value)
    except Exception as failure:  # the application's own ``__str__``
        return f"<its text can't be made: {type(failure).__name__}>"


_encode = json.JSONEncoder(ensure_ascii=False, default=_text_of).encode


def _encode_line(line: dict[str, object]) -> str:
    """Return a line; a value that JSON can't express becomes text."""
    try:
        return _encode(line)
    except (TypeError, ValueError, RecursionError):  # an odd key, or a cycle
        return _encode({name: _encodable(each) for name, each in line.items()})


def _encodable(value: object) -> object:
    try:
        _encode(value)
    except (TypeError, ValueError, RecursionError):
        return _text_of(value)
    return value


class JsonFormatter(logging.Formatter):
    """JSON: one object per line, with ``extra`` attributes as top-level keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, including its line break."""
        as_object = isinstance(record.msg, dict) and not record.args
        line: dict[str, object] = {
            "timestamp": time.strftime(
                "%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)
            ),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.msg if as_object else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, trace = record.exc_info
            line["stackTrace"] = traceback.format_tb(trace)
            line["errorType"] = kind.__name__
            line["errorMessage"] = _text_of(error)
        known = record.__dict__
        line["requestId"] = known.get("aws_request_id")
        if record.exc_info:
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        line["tenantId"] = known.get("tenant_id")
        extra = known.keys() - _OWN - line.keys()
        line |= {name: known[name] for name in known if name in extra}
        line = {name: each for name, each in line.items() if each is not None}
        return _encode_line(line) + "\n"
