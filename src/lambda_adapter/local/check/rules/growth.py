"""What grows with each request."""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from lambda_adapter.local.check.finding import Finding, failure, passed, warning
from lambda_adapter.local.sandbox.limits import DESCRIPTORS

LEAK_KB = 20.0
"""Kilobytes of memory for each request that are a leak, and no warming up."""

LEAK_IN_ALL_KB = 4_000.0
"""Kilobytes that have to be there in all: heaps grow before they are collected."""

SPARE = 1.3
"""How much more memory than the peak to choose."""

SIZES = (128, 256, 512, 1_024, 1_769, 2_048, 3_008, 4_096, 6_144, 8_192, 10_240)


class Weight(msgspec.Struct, frozen=True):
    """What the processes have at a moment."""

    requests: int
    memory_mb: float
    descriptors: int
    threads: int
    tmp_mb: float


def judge_growth(weights: Sequence[Weight], limit_mb: int) -> Iterator[Finding]:
    """Return what grows from weight to weight; the first half is warming up."""
    half = [each for each in weights if each.requests >= weights[-1].requests / 2]
    if len(half) < 2:
        return
    first, last = half[0], half[-1]
    asked = last.requests - first.requests
    if not asked:
        return
    grown = (last.memory_mb - first.memory_mb) * 1024 / asked
    steadily = all(
        later.memory_mb > earlier.memory_mb
        for earlier, later in itertools.pairwise(half)
    )
    if grown > LEAK_KB and grown * asked > LEAK_IN_ALL_KB and steadily:
        left = max(limit_mb - last.memory_mb, 0) * 1024 / grown
        yield warning(
            "leak",
            f"memory grows by {grown:.0f} KB for each request",
            seen=f"{weights[0].memory_mb:.0f} MB at first, {last.memory_mb:.0f} MB"
            f" after {last.requests} requests",
            on_lambda=f"an environment of {limit_mb} MB is killed after about"
            f" {left:,.0f} requests more",
            cure="find what is kept (tracemalloc, --heapsnapshot-signal), or bound the"
            " cache",
        )
    else:
        yield passed(
            "leak",
            f"memory stays at {last.memory_mb:.0f} MB over {last.requests} requests",
        )
    for kind, name, grows, most in (
        ("descriptor-leak", "open files", last.descriptors - first.descriptors, 0.2),
        ("thread-leak", "threads", last.threads - first.threads, 0.2),
    ):
        if grows / asked > most:
            yield warning(
                kind,
                f"{name} grow by {grows / asked:.1f} for each request",
                seen=f"{grows} more after {asked} requests",
                on_lambda=f"an environment has {DESCRIPTORS:,} of them; after that,"
                " every request fails",
                cure="close what is opened: with open(...), or a pool"
                if kind == "descriptor-leak"
                else "a pool of threads with a limit",
            )


def judge_memory(peak_mb: float, limit_mb: int, killed: str) -> Iterator[Finding]:
    """Return whether the memory is enough, and which size to choose."""
    fits = next((size for size in SIZES if size >= peak_mb * SPARE), SIZES[-1])
    if killed:
        more = next((size for size in SIZES if size > limit_mb), limit_mb)
        yield failure(
            "memory",
            f"needs more than {limit_mb} MB, and is killed",
            seen=killed,
            on_lambda='Runtime.OutOfMemory, or "signal: killed"',
            cure=f"MemorySize: {more} or more; or keep less in memory",
        )
    elif peak_mb > limit_mb * 0.85:
        yield warning(
            "memory",
            f"has {peak_mb:.0f} MB of {limit_mb} MB at its peak",
            on_lambda="beyond it, all processes are killed",
            cure=f"MemorySize: {fits}",
        )
    else:
        yield passed(
            "memory", f"{peak_mb:.0f} MB at its peak; {fits} MB would be enough"
        )


def judge_threads(peak: int) -> Iterator[Finding]:
    """Return whether there are too many processes and threads."""
    if peak > DESCRIPTORS * 0.5:
        make = failure if peak > DESCRIPTORS else warning
        yield make(
            "processes",
            f"has {peak:,} processes and threads; Lambda allows {DESCRIPTORS:,}",
            on_lambda="clone fails with EAGAIN: can't start new thread",
            cure="a pool with a limit",
        )
