"""Findings of a check, and their order."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How serious a finding is on Lambda."""

    FAILURE = "failure"
    """It fails there."""
    WARNING = "warning"
    """It may fail there, or it costs time or money."""
    PASS = "pass"  # noqa: S105 - no password


KINDS = (
    *("command", "disk", "shared-memory", "home", "permissions", "privileges", "tmp"),
    *("memory", "descriptors", "processes", "reserved-port", "port", "address", "host"),
    *("outside", "crash", "readiness", "start-time", "start"),
    *("leak", "descriptor-leak", "thread-leak", "thaw", "late-request", "worker"),
    *("tmp-leak", "streaming", "slow", "response-size", "response-headers"),
    *("redirect", "link", "cookie", "websocket", "request-headers", "idle-cpu"),
    *("request-failure", "gateway", "timers", "connections", "sigterm", "one-worker"),
    *("binary", "cost", "unfinished", "requests"),
)
"""Every kind of finding in the order of a report: causes before consequences."""

PAGE = "https://lambda-adapter.invalid/docs"


class Finding(msgspec.Struct, frozen=True):
    """The result of one check."""

    kind: str
    status: Status
    title: str
    """The finding in one line."""
    seen: str = ""
    """The measurement or the output behind it."""
    on_lambda: str = ""
    """The consequence on Lambda."""
    cure: str = ""
    """What to change, perhaps as a line to paste."""
    page: str = ""
    """The documentation's page about it, such as local-check.md."""


def failure(
    kind: str,
    title: str,
    *,
    seen: str = "",
    on_lambda: str = "",
    cure: str = "",
    page: str = "local-check.md",
) -> Finding:
    """Return a finding that fails on Lambda."""
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
    """Return a finding that may fail on Lambda."""
    return Finding(kind, Status.WARNING, title, seen, on_lambda, cure, page)


def passed(kind: str, title: str, seen: str = "") -> Finding:
    """Return a finding without a problem."""
    return Finding(kind, Status.PASS, title, seen)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: failures first, and causes before consequences."""
    statuses = list(Status)
    return sorted(
        dict.fromkeys(findings),
        key=lambda each: (statuses.index(each.status), KINDS.index(each.kind)),
    )
