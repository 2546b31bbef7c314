"""What a check has found so far."""

import msgspec

from lambda_adapter.local.check.finding import Finding, ordered
from lambda_adapter.local.check.rules.bill import Line
from lambda_adapter.local.check.rules.start import Start


class Result(msgspec.Struct):
    """What a check has found so far."""

    command: str
    memory_mb: int
    sandbox: str = ""
    """What is enforced on this machine, in a line."""
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
        """Whether there is a failure."""
        return any(each.status == "failure" for each in self.findings)
