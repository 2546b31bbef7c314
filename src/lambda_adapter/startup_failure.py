"""Report in the log and to Lambda why nothing can be served.

This uses only the standard library, since the adapter's own modules may be what can't
be imported. Imported only if a start fails.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import sys

import lambda_adapter
from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, ConfigError
from lambda_adapter.quoting import MAX_ERROR
from lambda_adapter.settings import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def give_up(error: AdapterError, environ: Mapping[str, str]) -> None:
    """Report why nothing can be served, in the log and, on Lambda, to Lambda."""
    if not environ.get(RUNTIME_API):
        complain(str(error))
        return
    complain(error.line(), "ERROR")
    try:
        runtime_api = Config({RUNTIME_API: environ[RUNTIME_API]}).runtime_api
    except ConfigError:  # that is the error, and it leaves nowhere to report to
        return

    if failure := post_init_error(runtime_api, error):
        complain(f"the init error did not reach Lambda: {failure}", "ERROR")


def complain(message: str, level: str = "") -> None:
    """Write an error without a logger, in the configured log format.

    Lambda's log has a ``level`` in each line; a terminal needs none.
    """
    line = " ".join(filter(None, ("lambda-adapter:", level, message)))
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


TARGET = "/2018-06-01/runtime/init/error"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror"""

TIMEOUT = 2.0
"""Seconds that Lambda may take to connect, and again to respond."""


def post_init_error(
    runtime_api: tuple[str, int],
    error: AdapterError,
    timeout: float = TIMEOUT,
    target: str = TARGET,
) -> str | None:
    """Post the error to ``host, port``; return why that failed, or None."""
    report = {
        "errorMessage": error.report[:MAX_ERROR],
        "errorType": error.error_type,
    }
    fields = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": error.error_type,
    }
    connection = http.client.HTTPConnection(*runtime_api, timeout=timeout)
    try:
        connection.request("POST", target, json.dumps(report), fields)
        status = connection.getresponse().status
    # UnicodeError is raised for a host that is too long.
    except (OSError, http.client.HTTPException, UnicodeError) as failure:
        return str(failure) or type(failure).__name__
    finally:
        connection.close()
    return None if status == http.client.ACCEPTED else f"status {status}"


def describe_conflicts() -> str:
    """Name the application's packages that shadow the adapter's with other versions."""
    from importlib.metadata import PackageNotFoundError, distributions, version

    here = os.path.dirname(lambda_adapter.__path__[0])
    conflicts: list[str] = []
    for ours in distributions(path=[here]):
        try:
            found = version(ours.name)
        except PackageNotFoundError:
            continue
        if found != ours.version:
            conflicts.append(
                f"{ours.name} {found} (the adapter comes with {ours.version})"
            )
    if not conflicts:
        return "all packages have the versions that the adapter comes with"
    return "the application's packages come first: " + ", ".join(sorted(conflicts))


def describe_start_error(
    command: str, code: int, wrapper: str | None = None, advice: str = ""
) -> str:
    """Return which command can't be executed, why, and what to check."""
    match code:
        case _ if advice:
            pass
        case errno.ENOENT:
            advice = _advise_on_missing(wrapper or command)
        case errno.EACCES:
            advice = "is it executable (chmod +x)?"
        case errno.ENOEXEC:
            advice = "is it for this architecture?"
        case _:
            advice = "it is whatever follows `lambda-adapter` on the command line"
    what = f"the application {command!r}"
    if wrapper:
        what = f"the wrapper {wrapper!r} (AWS_LWA_EXEC_WRAPPER)"
    return f"{what} can't be started: {os.strerror(code)}; {advice}"


COMMANDS_OF_LOCAL = ("invoke", "events", "check", "completion")


def suggest_local(command: str) -> str:
    """Return what was probably meant by the name of a missing command; "" for none."""
    from difflib import get_close_matches  # slow to import, and rarely needed

    near = get_close_matches(command, ["local", *COMMANDS_OF_LOCAL], 1, 0.75)
    if not near:
        return ""
    meant = "local" if near == ["local"] else f"local {near[0]}"
    return f"did you mean lambda-adapter {meant}?"


def _advise_on_missing(command: str) -> str:
    """Return what to check if the system says that there is no such file.

    It says so, too, where the file is there, but not what the file needs to be run.
    """
    path = _find(command)
    if not path:
        return "is it in the image, and on PATH?"
    with open(path, "rb") as file:
        line = file.readline(256).removesuffix(b"\n")
    if line.startswith(b"#!") and line.endswith(b"\r"):
        return "its first line ends in CRLF, as on Windows: convert its line endings"
    if line.startswith(b"#!") and line[2:].split():
        interpreter = line[2:].split()[0].decode("utf-8", "replace")
        return f"its #! line names {interpreter}, which does not exist"
    return (
        "the file exists, but not the loader that it names: is it for another libc"
        " (glibc, musl)?"
    )


def _find(command: str) -> str:
    """Return the readable file that a command names, itself or on PATH; "" if none."""
    folders = [""] if "/" in command else os.get_exec_path()
    for folder in folders:
        path = os.path.join(folder, command)
        if os.path.isfile(path) and os.access(path, os.R_OK):
            return path
    return ""
