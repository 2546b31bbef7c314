"""Judge writes to places that are read-only on Lambda."""

from collections.abc import Iterator, Sequence

from lambda_adapter.local.check.finding import (
    Finding,
    Status,
    failure,
    passed,
    warning,
)
from lambda_adapter.local.check.rules.causes import Cause
from lambda_adapter.local.sandbox.attempts import Attempts, Write

SHOWN = 5
"""Most paths that a finding names."""

TMP_FULL = 0.8
"""Fraction of /tmp above which further requests may fill it."""


def judge_writes(
    attempts: Attempts, causes: Sequence[Cause], *, broke: bool
) -> Iterator[Finding]:
    """Return findings for writes to the disk, /dev/shm and HOME.

    If nothing failed, the application copes with the refusal: only a warning. If
    something did, what the log names has failed, or else any of them may have.
    """
    kinds = {cause.kind for cause in causes} & {"disk", "shared-memory", "home"}
    groups = (
        ("disk", attempts.elsewhere(), _disk),
        ("shared-memory", attempts.shared_memory(), _judge_shared_memory),
        ("home", attempts.home(), _judge_home),
    )
    for kind, writes, describe in groups:
        quoted = next((cause.line for cause in causes if cause.kind == kind), "")
        if writes or quoted:
            fails = kind in kinds or (broke and bool(writes) and not kinds)
            yield describe(writes, quoted, Status.FAILURE if fails else Status.WARNING)
    if not attempts.writes and not kinds:
        yield passed("disk", "writes nothing outside /tmp")


def _disk(writes: Sequence[Write], quoted: str, status: Status) -> Finding:
    first = writes[0].path if writes else "a file"
    cure = "write to /tmp, or to a database, S3 or EFS"
    if first.endswith((".log", ".out")):
        cure = "log to stdout: CloudWatch has it from there"
    elif first.endswith((".db", ".sqlite", ".sqlite3", "-journal", "-wal")):
        cure = "use a database over the network, or open the file read-only"
    return Finding(
        "disk",
        status,
        f"wrote {first}: read-only on Lambda",
        _describe_writes(writes, quoted),
        "every write outside /tmp fails with EROFS: Read-only file system",
        cure,
        "local-check.md",
    )


def _judge_shared_memory(
    writes: Sequence[Write], quoted: str, status: Status
) -> Finding:
    return Finding(
        "shared-memory",
        status,
        "uses /dev/shm: Lambda has none",
        _describe_writes(writes, quoted),
        "multiprocessing's Lock, Queue and Pool, and POSIX shared memory, fail",
        "use threads (ThreadPoolExecutor), or multiprocessing.Process with Pipe;"
        " Chromium: --disable-dev-shm-usage",
        "local-check.md",
    )


def _judge_home(writes: Sequence[Write], quoted: str, status: Status) -> Finding:
    return Finding(
        "home",
        status,
        "writes to HOME, a directory that does not exist on Lambda",
        _describe_writes(writes, quoted),
        "HOME is /home/sbx_user1051, which does not exist and can't be created",
        "ENV HOME=/tmp",
        "local-check.md",
    )


def _describe_writes(writes: Sequence[Write], quoted: str) -> str:
    shown = [f"{each.path} (by {each.by})" for each in writes[:SHOWN]]
    more = len(writes) - SHOWN
    if more > 0:
        shown.append(f"and {more} more")
    return "; ".join([*shown, *([quoted] if quoted else [])])


def judge_closed(closed: Sequence[str], causes: Sequence[Cause]) -> Iterator[Finding]:
    """Return findings for files of the project that Lambda's user can't read."""
    quoted = next((c.line for c in causes if c.kind == "permissions"), "")
    if not closed and not quoted:
        return
    names = ", ".join(closed[:SHOWN]) or "a file"
    make = failure if quoted else warning
    yield make(
        "permissions",
        f"{names}: not readable by Lambda's user"
        if closed
        else "a file or directory is not accessible to Lambda's user",
        seen=quoted or f"{len(closed)} files or directories are closed to others",
        on_lambda="the function runs as an unprivileged user that owns no file of the"
        " image: what others can't read, it can't",
        cure=f"chmod -R a+rX {' '.join(closed[:SHOWN]) or '.'}",
    )


def judge_tmp(used_mb: float, size_mb: int, growth_mb: float) -> Iterator[Finding]:
    """Judge the use of /tmp; ``growth_mb`` is its growth per request."""
    if used_mb >= size_mb * TMP_FULL:
        yield failure(
            "tmp",
            f"fills /tmp: {used_mb:.0f} of {size_mb} MB",
            on_lambda="/tmp stays between the requests of an environment; once it is"
            " full, writes fail with ENOSPC: No space left on device",
            cure="delete what a request wrote; or EphemeralStorage: {Size: 2048}",
        )
    elif growth_mb > 0.02:
        yield warning(
            "tmp-leak",
            f"leaves {growth_mb * 1024:.0f} KB in /tmp for each request",
            seen=f"{used_mb:.1f} of {size_mb} MB are used",
            on_lambda=f"/tmp is full after {size_mb / growth_mb:,.0f} requests to one"
            " environment",
            cure="delete what a request wrote: tempfile.TemporaryDirectory()",
        )
