"""Judge the time of each package in a Python application's start.

https://docs.python.org/3/using/cmdline.html#cmdoption-X (importtime)
"""

import re
from collections.abc import Iterable

from lambda_adapter.local.check.finding import Finding, passed

VARIABLE = "PYTHONPROFILEIMPORTTIME"
"""The variable that makes Python print the time of each import."""

SHOWN = 10
"""Most packages that a finding names."""

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +([\w.]+)")
_OURS = frozenset({"lambda_adapter", "trio", "msgspec", "outcome", "sniffio", "attr"})
"""The adapter's own imports, which are in the same log."""


def sum_imports(lines: Iterable[str]) -> dict[str, int]:
    """Return the microseconds of each package's own imports, longest first."""
    sums: dict[str, int] = {}
    for line in lines:
        if found := _LINE.search(line):
            package = found[2].partition(".")[0]
            if package not in _OURS:
                sums[package] = sums.get(package, 0) + int(found[1])
    return dict(sorted(sums.items(), key=lambda each: -each[1]))


def judge_imports(sums: dict[str, int]) -> list[Finding]:
    """Return a finding with the slowest packages of a start, if they are known."""
    total = sum(sums.values())
    if not total:
        return []
    shown = [f"{name} {time / total:.0%}" for name, time in list(sums.items())[:SHOWN]]
    return [passed("start-time", f"imports of a start: {', '.join(shown)}")]
