"""What a run brought: series of numbers, one a round, and where they were measured."""

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import msgspec

from bench.builds import PROJECT
from bench.subjects import PEER, Missing

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
    peer: str = PEER
    """The subject that a ratio is to: same bench, case, cores and metric."""


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured. No number means anything anywhere else."""

    cpu: str
    cores: int
    memory_mb: int
    kernel: str
    python: str
    versions: dict[str, str]
    commit: str


class Results(msgspec.Struct, frozen=True):
    """A run."""

    machine: Machine
    taken: str
    series: list[Series] = []
    missing: list[Missing] = []


def begin() -> Results:
    """Return a run without results yet."""
    now = datetime.datetime.now(datetime.UTC)
    return Results(_machine(), now.isoformat(timespec="seconds"), [], [])


def save(results: Results, path: Path) -> None:
    """Write a run down."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))


def load(path: Path) -> Results:
    """Read a run."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def _machine() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        _cpu(),
        len(os.sched_getaffinity(0)),
        memory >> 20,
        platform.release(),
        f"{platform.python_implementation()} {platform.python_version()}",
        {name: version for name in PACKAGES if (version := _version(name))},
        _commit(),
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip()
