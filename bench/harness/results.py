"""What a run found: series of numbers, one a round, and where they were measured."""

import datetime
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import msgspec

from bench.harness.builds import PROJECT
from bench.harness.subjects import Missing

PACKAGES = (
    *("lambda-adapter", "trio", "msgspec", "uvicorn", "fastapi"),
    *("mangum", "awslambdaric", "httpx"),
)


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one subject in one case, round by round."""

    bench: str
    case: str
    """What was asked of it, such as "trivial" or "4.5 MB text in"."""
    cores: int
    subject: str
    metric: str
    unit: str
    rounds: list[float]
    peer: str
    """The subject that a ratio is to: same bench, case, cores and metric."""


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured. The numbers hold nowhere else."""

    cpu: str
    cores: int
    memory_mb: int
    kernel: str
    python: str
    versions: dict[str, str]
    commit: str


class Results(msgspec.Struct, frozen=True):
    """A run of one measurement, or of all."""

    machine: Machine
    taken: str
    series: list[Series] = []
    missing: list[Missing] = []


def begin() -> Results:
    """Return empty results of this machine, now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    info = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*: (.*)", info, re.MULTILINE)
    installed = {each.name: each.version for each in metadata.distributions()}
    describe = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    machine = Machine(
        cpu[1] if cpu else platform.machine(),
        len(os.sched_getaffinity(0)),
        memory >> 20,
        platform.release(),
        f"{platform.python_implementation()} {platform.python_version()}",
        {name: installed[name] for name in PACKAGES if name in installed},
        subprocess.run(describe, capture_output=True, text=True).stdout.strip(),
    )
    now = datetime.datetime.now(datetime.UTC)
    return Results(machine, now.isoformat(timespec="seconds"), [], [])


def save(results: Results, path: Path) -> None:
    """Write results as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))


def load(path: Path) -> Results:
    """Read results."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
