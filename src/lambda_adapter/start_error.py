"""Why the application can't be started, in words. Imported only then. Core: no I/O."""

from __future__ import annotations

import errno
import os


def describe_start_error(command: str, code: int, wrapper: str | None = None) -> str:
    """Say which command can't be executed, why, and what to look at."""
    match code:
        case errno.ENOENT:
            advice = "is it in the image, on PATH, and does its #! line name a program?"
        case errno.EACCES:
            advice = "is it executable (chmod +x)?"
        case errno.ENOEXEC:
            advice = "is it for this architecture?"
        case _:
            advice = "it is the command after the adapter's own name"
    what = f"the application {command!r}"
    if wrapper:
        what = f"the wrapper {wrapper!r} (AWS_LWA_EXEC_WRAPPER)"
    return f"{what} can't be started: {os.strerror(code)}; {advice}"
