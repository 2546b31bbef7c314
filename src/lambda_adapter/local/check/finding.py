"""What a check finds."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How much a finding matters on Lambda."""

    FAILURE = "failure"
    """It breaks there."""
    WARNING = "warning"
    """It may break there, or costs something."""
    PASS = "pass"  # noqa: S105 - no password


KINDS = (
    *("command", "disk", "shared-memory", "home", "permissions", "privileges", "tmp"),
    *("memory", "descriptors", "processes", "reserved-port", "port", "address"),
    *("outside", "crash", "readiness", "start-time", "start"),
    *("thaw", "late-request", "worker", "leak", "descriptor-leak", "thread-leak"),
    *("tmp-leak", "streaming", "slow", "response-size", "response-headers"),
    *("redirect", "link", "cookie", "websocket", "request-headers", "request-failure"),
    *("gateway", "idle-cpu", "timers", "connections", "sigterm", "one-worker"),
    *("binary", "cost", "unfinished"),
)
"""Every kind of finding, the causes before what they lead to: the order of a report."""

PAGE = "https://lambda-adapter.invalid/docs"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked."""

    kind: str
    status: Status
    title: str
    """What is so, in a line."""
    seen: str = ""
    """What was measured, or printed."""
    on_lambda: str = ""
    """What Lambda would do."""
    cure: str = ""
    """A line to paste, or what to change."""
    page: str = ""
    """The page of the documentation that explains it, such as local-check.md."""


def failure(
    kind: str,
    title: str,
    *,
    seen: str = "",
    on_lambda: str = "",
    cure: str = "",
    page: str = "local-check.md",
) -> Finding:
    """Return a finding of what breaks on Lambda."""
    return Finding(kind, Status.FAILURE, title, seen, on_lambda, cure, page)


def warning(
    kind: str,
    title: str,
    *,
    seen: str = "",
    on_lambda: str = "",
    cure: str = "",
    page: str = "local-check.md",
) -> Finding:
    """Return a finding of what may break on Lambda."""
    return Finding(kind, Status.WARNING, title, seen, on_lambda, cure, page)


def passed(kind: str, title: str, seen: str = "") -> Finding:
    """Return a finding of what is as it should be."""
    return Finding(kind, Status.PASS, title, seen)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, failures first, and causes before what they lead to."""
    statuses = list(Status)
    return sorted(
        dict.fromkeys(findings),
        key=lambda each: (statuses.index(each.status), KINDS.index(each.kind)),
    )
