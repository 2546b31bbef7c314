"""Find causes of failures in the lines of an application's log."""

import re
from collections.abc import Iterable

import msgspec

_PATTERNS = (
    ("home", r"/home/sbx_user1051"),
    ("shared-memory", r"/dev/shm|_?SemLock|sem_open|synchronization primitive"),
    ("shared-memory", r"Function not implemented|\bENOSYS\b"),
    ("disk", r"Read-only file system|\bEROFS\b|\[Errno 30\]|readonly database"),
    ("disk", r"unable to open database file|Read-only filesystem"),
    ("tmp", r"No space left on device|\bENOSPC\b|\[Errno 28\]|disk is full"),
    ("descriptors", r"[Tt]oo many open files|\bEMFILE\b|\[Errno 24\]"),
    ("processes", r"can't start new thread|unable to create (?:new )?native thread"),
    ("processes", r"Resource temporarily unavailable|\bEAGAIN\b|\[Errno 11\]"),
    ("memory", r"\bMemoryError\b|OutOfMemoryError|heap out of memory|out of memory"),
    ("memory", r"Allowed memory size of \d+ bytes exhausted"),
    ("thaw", r"WORKER TIMEOUT"),
    ("port", r"[Aa]ddress already in use|\bEADDRINUSE\b|\[Errno 98\]"),
    ("permissions", r"[Pp]ermission denied|\bEACCES\b|AccessDenied|\[Errno 13\]"),
    ("privileges", r"getpwuid\(\): uid not found|unknown (?:user|uid)|no such user"),
    ("privileges", r"[Oo]peration not permitted|\bEPERM\b|must be run as root"),
    ("outside", r"[Cc]onnection refused|\bECONNREFUSED\b|\bENOTFOUND\b|\bEAI_AGAIN\b"),
    ("outside", r"Name or service not known|Temporary failure in name resolution"),
    ("outside", r"Network is unreachable|\bENETUNREACH\b|\bETIMEDOUT\b"),
)
_COMPILED = [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS]

_OURS = re.compile(r"lambda-adapter: |RequestId: ")
"""The adapter's own lines, which name consequences, not causes."""

_ERROR = re.compile(
    r"^[\w.]*(?:Error|Exception|panic|Fatal)\b|\[ERROR\]|\bSIG(?:SEGV|ABRT|BUS|ILL)\b"
)
"""The line of Python's, Node's, Java's and Go's traces that says what it was, and
gunicorn's of a worker that was ended by a signal."""

MAX_LINE = 240
"""Most characters to quote of a line."""


class Cause(msgspec.Struct, frozen=True):
    """A cause that a line names."""

    kind: str
    line: str


def find_cause(lines: Iterable[str]) -> Cause | None:
    """Return the cause that the first such line names."""
    for line in lines:
        if _OURS.search(line):
            continue
        for kind, pattern in _COMPILED:
            if pattern.search(line):
                return Cause(kind, line.strip()[:MAX_LINE])
    return None


def last_line(lines: list[str]) -> str:
    """Return the last line that names an error, or else the last line."""
    own = [line for line in lines if line.strip() and not _OURS.search(line)]
    named = [line for line in own if _ERROR.search(line)] or own
    return named[-1].strip()[:MAX_LINE] if named else ""
