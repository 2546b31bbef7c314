"""Judge how long a start takes at each memory size."""

from collections.abc import Iterator

import msgspec

from lambda_adapter.local.check.finding import Finding, failure, passed, warning
from lambda_adapter.local.sandbox.limits import vcpu_of

SIZES = (256, 512, 1_024, 1_769)
"""Memory sizes in megabytes to report a start for."""

INIT = 10.0
"""Timeout of an init, in seconds:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""


class Start(msgspec.Struct, frozen=True):
    """What a start needs, independent of the memory."""

    cpu: float
    """CPU seconds."""
    waits: float
    """Seconds in which it does not wait for the CPU, but for something else."""

    def at(self, memory_mb: int) -> float:
        """Estimate the seconds of a start at a memory size."""
        return self.waits + self.cpu / min(vcpu_of(memory_mb), 1.0)


def judge_start(start: Start, memory_mb: int) -> Iterator[Finding]:
    """Judge whether the start fits into Lambda's init, at each memory size."""
    table = ", ".join(f"{start.at(size):.1f} s at {size:,} MB" for size in SIZES)
    seen = (
        f"{table} (from {start.cpu:.2f} CPU seconds and {start.waits:.1f} s of waiting,"
        f" measured at {memory_mb:,} MB)"
    )
    here = start.at(memory_mb)
    fits = next((size for size in SIZES if start.at(size) < INIT * 0.7), 0)
    more = f"MemorySize: {fits}, or " if fits > memory_mb else ""
    cure = f"{more}ENV AWS_LWA_ASYNC_INIT=true, or SnapStart"
    if here > INIT:
        yield failure(
            "start-time",
            f"needs {here:.0f} s to start at {memory_mb:,} MB; Lambda gives 10 s",
            seen=seen,
            on_lambda="init is ended after 10 s, and starts again with the first"
            " request, within the function's timeout",
            cure=cure,
            page="snapstart.md",
        )
    elif here > INIT * 0.8:
        yield warning(
            "start-time",
            f"needs {here:.1f} s to start at {memory_mb:,} MB, of Lambda's 10 s",
            seen=seen,
            on_lambda="a slower machine, or less memory, and init times out",
            cure=cure,
            page="snapstart.md",
        )
    else:
        yield passed("start-time", f"starts in {here:.1f} s at {memory_mb:,} MB", seen)
