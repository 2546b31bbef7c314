"""Render a report as text: failures, then warnings, then passed checks."""

from collections.abc import Iterator, Sequence

from lambda_adapter.local.check.finding import Finding, Status
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.rules.bill import Line

_MARKS = {Status.FAILURE: "FAIL", Status.WARNING: "warn", Status.PASS: "pass"}


def verdict(result: Result) -> str:
    """Return the verdict in one line."""
    counts = {
        status: sum(each.status == status for each in result.ordered)
        for status in Status
    }
    failures, warnings = counts[Status.FAILURE], counts[Status.WARNING]
    failed = f"{failures} {'failure' if failures == 1 else 'failures'}"
    more = f"{warnings} {'warning' if warnings == 1 else 'warnings'}"
    if not result.complete:
        return f"not finished: {failed} and {more} so far"
    if failures:
        return f"It would not run on Lambda as it is: {failed}, {more}"
    if warnings:
        return f"It would run on Lambda: no failure, {more}"
    return "It would run on Lambda: no failure, no warning"


def lines(result: Result) -> Iterator[str]:
    """Return the lines of a report."""
    yield verdict(result)
    if result.sandbox:
        yield result.sandbox
    yield ""
    for finding in result.ordered:
        yield from _finding_lines(finding)
    if result.bill:
        yield ""
        yield from _bill_lines(result.bill, result.assumptions)


def _finding_lines(finding: Finding) -> Iterator[str]:
    yield f"{_MARKS[finding.status]}  {finding.kind:<16}  {finding.title}"
    if finding.status is Status.PASS:
        return
    for name, text in (
        ("seen", finding.seen),
        ("Lambda", finding.on_lambda),
        ("cure", finding.cure),
        ("page", f"docs/{finding.page}" if finding.page else ""),
    ):
        if text:
            yield f"      {name:<8}{text}"


def _bill_lines(bill: Sequence[Line], assumptions: Sequence[str]) -> Iterator[str]:
    sizes = list(bill[0].on_demand)
    yield f"Dollars a month for {bill[0].requests:,} requests"
    names = [*(f"{size:,} MB" for size in sizes), "SnapStart", "Managed", "Fargate"]
    yield "  " + "traffic".ljust(8) + "".join(name.rjust(11) for name in names)
    for line in bill:
        values = [*line.on_demand.values(), line.snapstart, line.managed, line.fargate]
        cells = "".join(f"{value:.2f}".rjust(11) for value in values)
        yield f"  {line.traffic:<8}{cells}"
    for text in assumptions:
        yield f"  {text}"
