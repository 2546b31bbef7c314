"""What a run found: series of numbers, one a round, and where they were measured."""

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.harness.subjects import PROJECT, BenchError

KEPT = PROJECT / "bench" / "results"
"""The runs that pages quote."""


class Series(msgspec.Struct, frozen=True):
    """One metric of one subject in one case, round by round."""

    bench: str
    case: str
    """What was asked of it, such as "same event" or "4.5 MB text in"."""
    cores: int
    metric: str
    unit: str
    subject: str
    rounds: list[float] = []

    @property
    def place(self) -> tuple[str, str, int, str]:
        """What the numbers of several subjects have in common."""
        return self.bench, self.case, self.cores, self.metric


class Origin(msgspec.Struct, frozen=True):
    """When and where it was measured. The numbers hold nowhere else.

    The commit's uv.lock has the versions of all packages.
    """

    taken: str
    commit: str
    machine: str


class Results(msgspec.Struct, frozen=True):
    """A run of one measurement, or of all."""

    origin: Origin
    series: list[Series] = []


def begin() -> Results:
    """Return empty results of this machine, now."""
    describe = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    info = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*: (.*)", info, re.MULTILINE)
    machine = (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores,"
        f" Linux {platform.release()}, CPython {platform.python_version()}"
    )
    origin = Origin(
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        subprocess.run(describe, capture_output=True, text=True).stdout.strip(),
        machine,
    )
    return Results(origin)


def save(results: Results, path: Path) -> None:
    """Write results as lines of JSON: the origin, then each series."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [results.origin, *results.series]
    path.write_bytes(msgspec.json.Encoder().encode_lines(lines))


def load(path: Path) -> Results:
    """Read results."""
    origin, *series = path.read_bytes().splitlines()
    return Results(
        msgspec.json.decode(origin, type=Origin),
        [msgspec.json.decode(line, type=Series) for line in series],
    )


def newest(has: Callable[[Results], bool], folder: Path = KEPT) -> Results:
    """Return the newest run of a folder, of those that have something.

    Raises:
        BenchError: none of them has it.
    """
    runs = [run for file in folder.glob("*.jsonl") if has(run := load(file))]
    if not runs:
        raise BenchError(f"no run in {folder} has it: measure, with --json FILE there")
    return max(runs, key=lambda run: run.origin.taken)
