"""The log: one line for each thing that happened, in Lambda's two formats, on stderr.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
Lines never hold a body, and of fields only their names.
"""

import logging
import sys
import time
from contextvars import ContextVar

import msgspec

from lambda_adapter.quoting import truncate_middle

log = logging.getLogger("lambda_adapter")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""That of the invocation that a task serves; each line that it logs has it."""

MAX_TEXT = 16_384
"""Characters of a message, and of a traceback. Escaped they are ten times as many bytes
at most, so that a line fits into an event of CloudWatch Logs, 262,144 bytes:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

_LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}
_NAMES = {logging.WARNING: "WARN", logging.CRITICAL: "FATAL"}


def configure(log_format: str, log_level: str) -> None:
    """Write to stderr, in this format (``JSON``, else text) and from this level on."""
    as_json = log_format.upper() == "JSON"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(_LEVELS.get(log_level.upper(), logging.INFO))


def add_request_id(record: logging.LogRecord) -> bool:
    """Put the request id into a record: a filter, for applications as well."""
    record.request_id = request_id.get()
    return True


log.addFilter(add_request_id)


_warned: set[str] = set()


def warn_once(warning: str) -> None:
    """Log a warning that each further invocation would repeat.

    This process remembers it, so what varies has no place in it.
    """
    if warning not in _warned:
        _warned.add(warning)
        log.warning("%s", warning)


class TextFormatter(logging.Formatter):
    """``lambda-adapter: WARN message RequestId: 1234``; a traceback goes below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; what came from outside can't begin another."""
        message = "".join(
            char if char.isprintable() else repr(char)[1:-1]
            for char in truncate_middle(record.getMessage(), MAX_TEXT)
        )
        line = f"lambda-adapter: {_level(record)} {message}"
        if number := record.__dict__.get("request_id"):
            line += f" RequestId: {number}"
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "\n" + truncate_middle(trace, MAX_TEXT)
        return line


class JsonFormatter(logging.Formatter):
    """An object a line, with the keys of Lambda's own JSON logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        seconds, fraction = divmod(record.created, 1)
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        line = {
            "timestamp": f"{now}.{int(fraction * 1000):03}Z",
            "level": _level(record),
            "logger": "lambda-adapter",
            "message": _unicode(record.getMessage()),
        }
        if number := record.__dict__.get("request_id"):
            line["requestId"] = number
        if record.exc_info:
            line["stackTrace"] = _unicode(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


def _unicode(text: str) -> str:
    """Return a text within its limit and without half surrogates, which JSON lacks."""
    return truncate_middle(text, MAX_TEXT).encode("utf-8", "replace").decode()


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname)
