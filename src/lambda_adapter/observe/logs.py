"""The log: one line for each thing that happened, in Lambda's two formats, on stderr.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
Lines never hold a body, and of fields only their names.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextvars import Context, ContextVar

import msgspec

from lambda_adapter.quoting import truncate_middle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import TextIO

    ExcInfo = (
        tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None]
    )


class PrivateLogger(logging.Logger):
    """A logger whose records no application makes."""

    # An application's record factory may want what only its requests have, and raise:
    # https://docs.python.org/3/library/logging.html#logging.setLogRecordFactory
    def makeRecord(  # noqa: N802 - logging's name
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: tuple[object, ...] | Mapping[str, object],
        exc_info: ExcInfo | None,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        """Return logging's own record."""
        return logging.LogRecord(name, level, fn, lno, msg, args, exc_info, func, sinfo)


# Not of ``logging.getLogger``: an application in this process configures all loggers of
# that table. dictConfig and fileConfig disable those that they do not name, and
# logging.disable silences every one.
_loggers = logging.Manager(logging.RootLogger(logging.WARNING))
_loggers.setLoggerClass(PrivateLogger)
log = _loggers.getLogger("lambda_adapter")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""That of the invocation that a task serves; each line that it logs has it."""

tenant_id: ContextVar[str] = ContextVar("tenant_id", default="")
"""The tenant that the invocation is for, where the function isolates tenants."""

_serving = Context()
"""The context of the one task that serves: what a thread without one logs is about its
invocation."""

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
_NAMES = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARN",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "FATAL",
}
"""Lambda's names, whatever names an application gives to Python's levels."""


_own_stderr: TextIO | None = None
"""Where lines go if stderr is an application's as well."""


def configure(log_format: str, log_level: str, *, is_shared: bool = False) -> None:
    """Write to stderr, in this format (``JSON``, else text) and from this level on.

    ``is_shared``: an application runs in this process, and stderr is its own as well.
    """
    global _own_stderr
    _own_stderr = _open_stderr() if is_shared else None
    as_json = log_format.upper() == "JSON"
    handler = logging.StreamHandler(_own_stderr or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(_LEVELS.get(log_level.upper(), logging.INFO))


def _open_stderr() -> TextIO:
    """Return stderr as it is now, whatever an application closes or puts in its place.

    The file stays open until the process ends.
    """
    try:
        descriptor = os.dup(2)
    except OSError:  # closed: then nobody collects a log
        return sys.stderr
    return open(descriptor, "w", 1, "utf-8", "backslashreplace")


def write_line(line: str) -> None:
    """Write a line, with its end, that has a format of its own."""
    stream = _own_stderr or sys.stderr
    stream.write(line)
    stream.flush()


def follow(context: Context) -> None:
    """Take what a thread without a context of its own logs for this context's.

    Python starts a thread with an empty context, and so do most pools of threads.
    """
    global _serving
    _serving = context


def current_request_id() -> str:
    """Return the id of the invocation that the caller serves, or nothing."""
    return request_id.get() or _serving.get(request_id, "")


def current_tenant_id() -> str:
    """Return the tenant of the invocation that the caller serves, or nothing."""
    return tenant_id.get() or _serving.get(tenant_id, "")


def add_request_id(record: logging.LogRecord) -> bool:
    """Put the request id into a record: a filter, for applications as well."""
    record.request_id = current_request_id()
    return True


def _add_own_request_id(record: logging.LogRecord) -> bool:
    # What the adapter's tasks say beside an invocation is not about it.
    record.request_id = request_id.get()
    return True


log.addFilter(_add_own_request_id)


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
        line: dict[str, str | list[str]] = {
            "timestamp": f"{now}.{int(fraction * 1000):03}Z",
            "level": _level(record),
            "logger": "lambda-adapter",
            "message": _unicode(record.getMessage()),
        }
        if number := record.__dict__.get("request_id"):
            line["requestId"] = number
        if record.exc_info:
            kind, error, _ = record.exc_info
            line["errorType"] = kind.__name__ if kind else ""
            line["errorMessage"] = _unicode(str(error))
            trace = _unicode(self.formatException(record.exc_info))
            line["stackTrace"] = trace.splitlines()
        return msgspec.json.encode(line).decode()


def _unicode(text: str) -> str:
    """Return a text within its limit and without half surrogates, which JSON lacks."""
    return truncate_middle(text, MAX_TEXT).encode("utf-8", "replace").decode()


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname)
