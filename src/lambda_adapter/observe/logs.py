"""The adapter's log: one line per event, in Lambda's text or JSON format, on stderr.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
No line has a body or the value of a header: either may be secret.
"""

from __future__ import annotations

import contextlib
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
    """A logger that ignores the record factory of an application in this process."""

    # That factory may need what exists only during a request, and raise without it:
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


# Not ``logging.getLogger``: an application in this process configures all loggers of
# that registry. dictConfig and fileConfig disable those that they do not name, and
# logging.disable silences all of them.
_loggers = logging.Manager(logging.RootLogger(logging.WARNING))
_loggers.setLoggerClass(PrivateLogger)
log = _loggers.getLogger("lambda_adapter")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The request ID of the invocation that a task serves; each line it logs has it."""

tenant_id: ContextVar[str] = ContextVar("tenant_id", default="")
"""The tenant of the invocation, if the function isolates tenants."""

_serving = Context()
"""The context of the only serving task. What a thread without a context logs counts as
part of that task's invocation."""

MAX_TEXT = 16_384
"""Most characters of a message, and of a traceback. Escaped, they are at most ten times
as many bytes, so that a line fits into an event of CloudWatch Logs, 262,144 bytes:
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
"""Lambda's names of the levels, whatever an application renames Python's to."""


_own_stderr: TextIO | None = None
"""A private copy of stderr, if an application in this process shares the original."""


def configure(log_format: str, log_level: str, *, is_shared: bool = False) -> None:
    """Write to stderr in this format (``JSON``, else text), from this level on.

    ``is_shared`` means that an application in this process also writes to stderr.
    """
    global _own_stderr
    _own_stderr = _open_stderr() if is_shared else None
    as_json = log_format.upper() == "JSON"
    handler = _Handler(_own_stderr or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(_LEVELS.get(log_level.upper(), logging.INFO))


def _open_stderr() -> TextIO:
    """Return a copy of stderr that an application can neither close nor replace.

    It stays open until the process ends.
    """
    import io

    from lambda_adapter.observe.stdio import WaitingFile

    try:
        descriptor = os.dup(2)
    except OSError:  # stderr is closed, so nothing collects the log
        return sys.stderr
    raw = io.BufferedWriter(WaitingFile(descriptor, "w"))
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True)


def write_line(line: str) -> None:
    """Write a line that is already formatted, including its line break."""
    stream = _own_stderr or sys.stderr
    stream.write(line)
    stream.flush()


def follow(context: Context) -> None:
    """Let threads without a context log the request ID of this context.

    Python starts threads with an empty context, and so do most thread pools.
    """
    global _serving
    _serving = context


def current_request_id() -> str:
    """Return the request ID of the invocation that the caller serves, or ``""``."""
    return request_id.get() or _serving.get(request_id, "")


def current_tenant_id() -> str:
    """Return the tenant of the invocation that the caller serves, or ``""``."""
    return tenant_id.get() or _serving.get(tenant_id, "")


def add_request_id(record: logging.LogRecord) -> bool:
    """Add the request ID to a record: a logging filter that applications may use too.

    Args:
        record: the record, which gets the attribute ``request_id``; ``""`` if it was
            logged outside an invocation.

    Returns:
        True, so that no record is filtered out.
    """
    record.request_id = current_request_id()
    return True


def _add_own_request_id(record: logging.LogRecord) -> bool:
    # Lines of the adapter's other tasks are not about the invocation, so unlike an
    # application's threads, these don't fall back to the serving task's ID.
    record.request_id = request_id.get()
    return True


log.addFilter(_add_own_request_id)


_warned: set[str] = set()


def warn_once(warning: str) -> None:
    """Log a warning only the first time.

    The text is remembered, so it must not contain anything that varies.
    """
    if warning not in _warned:
        _warned.add(warning)
        log.warning("%s", warning)


class _Handler(logging.StreamHandler["TextIO"]):
    """Writes each record, and never fails its caller."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's
        """Write the line without a traceback that can't be formatted."""
        # logging's own method prints to ``sys.stderr``, and raises where that fails.
        record.exc_info = None
        with contextlib.suppress(Exception):
            self.stream.write(self.format(record) + self.terminator)
            self.flush()


class _Formatter(logging.Formatter):
    """Formats exceptions without ``print``, which an application may replace."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's name
        """Return a traceback, without the last line break."""
        import traceback  # late, since the native file's start does without it

        return "".join(traceback.format_exception(ei[1])).removesuffix("\n")


class TextFormatter(_Formatter):
    """Text: ``lambda-adapter: WARN message RequestId: 1234``, then any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; control characters are escaped, so input can't forge any."""
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


class JsonFormatter(_Formatter):
    """JSON: one object per line, with the keys of Lambda's own JSON logs."""

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
            line["errorMessage"] = _unicode(text_of(error))
            trace = _unicode(self.formatException(record.exc_info))
            line["stackTrace"] = trace.splitlines()
        return msgspec.json.encode(line).decode()


def describe_error(error: BaseException) -> str:
    """Return an exception's type and text, as at the end of its traceback.

    Without its notes. A SyntaxError's text names file and line.
    """
    return f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")


def text_of(error: BaseException | None) -> str:
    """Return an exception's text, or what says that it has none."""
    try:
        return str(error)
    except Exception as failure:  # the application's own ``__str__``
        return f"<its text can't be made: {type(failure).__name__}>"


def _unicode(text: str) -> str:
    """Truncate a text, and replace lone surrogates, which UTF-8 can't encode."""
    return truncate_middle(text, MAX_TEXT).encode("utf-8", "replace").decode()


def _level(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname)
