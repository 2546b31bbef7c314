"""The result of a check, as far as it is known."""

import msgspec

from lambda_adapter.local.check.finding import Finding, ordered
from lambda_adapter.local.check.rules.bill import Line
from lambda_adapter.local.check.rules.start import Start


class Result(msgspec.Struct):
    """Everything that a check has found so far."""

    command: str
    memory_mb: int
    sandbox: str = ""
    """The limits that are enforced on this machine, in one line."""
    findings: list[Finding] = []
    start: Start | None = None
    bill: list[Line] = []
    assumptions: list[str] = []
    weights: list[tuple[int, float]] = []
    log: list[str] = []
    complete: bool = False

    @property
    def ordered(self) -> list[Finding]:
        """The findings, failures first."""
        return ordered(self.findings)

    @property
    def failed(self) -> bool:
        """Whether any finding is a failure."""
        return any(each.status == "failure" for each in self.findings)
