"""Judge memory, open files and threads: their peaks, and whether they grow."""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from lambda_adapter.local.check.finding import Finding, Status, failure, passed, warning
from lambda_adapter.local.sandbox.limits import DESCRIPTORS

LEAK_KB = 20.0
"""Kilobytes per request that count as a leak, rather than as warming up."""

LEAK_IN_ALL_KB = 4_000.0
"""Minimum kilobytes in total: heaps grow before they are collected."""

JAVA_IN_ALL_KB = 20_000.0
"""The same for a virtual machine that compiles as it warms up."""

LEAKS = 0.2
"""Files or threads per request that count as a leak."""

REACHED = 0.85
"""Share of Lambda's limit from which a leak is a failure: the next requests fail."""

STACK_KB = 300.0
"""Most kilobytes of memory that a thread without work adds: its stack and an arena."""

SPARE = 1.3
"""Factor on the peak memory for the recommended size."""

SIZES = (128, 256, 512, 1_024, 1_769, 2_048, 3_008, 4_096, 6_144, 8_192, 10_240)


LEAK_OF = {"descriptors": "descriptor-leak", "processes": "thread-leak"}
"""The leak that a limit may be reached by."""


class Weight(msgspec.Struct, frozen=True):
    """The processes' resources at one moment."""

    requests: int
    memory_mb: float
    descriptors: int
    threads: int
    tmp_mb: float
    processes: int = 1


def judge_growth(
    weights: Sequence[Weight], limit_mb: int, *, is_java: bool = False
) -> Iterator[Finding]:
    """Return findings for growth; the first half of the weights is warming up."""
    half = [each for each in weights if each.requests >= weights[-1].requests / 2]
    asked = half[-1].requests - half[0].requests
    if not asked:
        return
    in_all = JAVA_IN_ALL_KB if is_java else LEAK_IN_ALL_KB
    leak = _judge_leak(weights[0], half, limit_mb, in_all)
    files = half[-1].descriptors - half[0].descriptors
    threads = half[-1].threads - half[0].threads
    processes = half[-1].processes - half[0].processes
    if processes / asked > LEAKS:
        yield _judge_processes(processes, asked, half)
        return  # memory and files grow with them
    if threads / asked > LEAKS:
        cure = "a pool with a limit; wait for the threads that are started"
        yield _grows("thread-leak", "threads", threads, asked, cure, half[-1].threads)
        in_stacks = threads * STACK_KB / 1024
        if half[-1].memory_mb - half[0].memory_mb <= in_stacks:
            leak = passed("leak", "memory grows by its threads alone")
    yield leak
    if files / asked > LEAKS:
        cure = "close what is opened: with open(...), or a pool"
        last = half[-1].descriptors
        yield _grows("descriptor-leak", "open files", files, asked, cure, last)


def _judge_processes(grown: int, asked: int, half: Sequence[Weight]) -> Finding:
    memory_mb = half[-1].memory_mb - half[0].memory_mb
    found = warning(
        "thread-leak",
        f"processes grow by {grown / asked:.1f} for each request",
        seen=f"{grown} more after {asked} requests, with {memory_mb:.0f} MB of memory",
        on_lambda=f"an environment has {DESCRIPTORS:,} of them, and its memory for all"
        " together; after that, every request fails",
        cure="wait for the processes that are started, and end them: subprocess.run()",
    )
    return _judged(found, half[-1].processes)


def _judge_leak(
    start: Weight, half: Sequence[Weight], limit_mb: int, in_all_kb: float
) -> Finding:
    first, last = half[0], half[-1]
    grown = (last.memory_mb - first.memory_mb) * 1024
    each = grown / (last.requests - first.requests)
    after = f"{last.memory_mb:.0f} MB after {last.requests} requests"
    if each <= LEAK_KB or grown <= in_all_kb or not _is_steady(half):
        return passed("leak", f"memory does not grow: {after}")
    left = max(limit_mb - last.memory_mb, 0) * 1024 / each
    return warning(
        "leak",
        f"memory grows by {each:.0f} KB for each request",
        seen=f"{start.memory_mb:.0f} MB at first, {after}",
        on_lambda=f"an environment of {limit_mb} MB is killed after about"
        f" {left:,.0f} requests more",
        cure="find what is kept (tracemalloc, --heapsnapshot-signal), or bound the"
        " cache",
    )


def _is_steady(half: Sequence[Weight]) -> bool:
    """Return whether memory grows in each third, by a third of the mean or more.

    What warms up grows less and less; what is collected falls now and then.
    """
    last = len(half) - 1
    parts = min(last, 3)
    places = [half[round(part * last / parts)] for part in range(parts + 1)]
    mean = (half[-1].memory_mb - half[0].memory_mb) / parts
    return all(
        later.memory_mb - earlier.memory_mb > mean / 3
        for earlier, later in itertools.pairwise(places)
    )


def _grows(
    kind: str, name: str, grown: int, asked: int, cure: str, last: int
) -> Finding:
    found = warning(
        kind,
        f"{name} grow by {grown / asked:.1f} for each request",
        seen=f"{grown} more after {asked} requests",
        on_lambda=f"an environment has {DESCRIPTORS:,} of them; after that, every"
        " request fails",
        cure=cure,
    )
    return _judged(found, last)


def _judged(finding: Finding, last: int) -> Finding:
    """Return a leak's finding, as a failure if the last count is near the limit."""
    has_reached = last >= DESCRIPTORS * REACHED
    status = Status.FAILURE if has_reached else Status.WARNING
    return msgspec.structs.replace(finding, status=status)


def without_effects_of_leaks(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Return findings without the limits that a leak has reached."""
    failed = {each.kind for each in findings if each.status is Status.FAILURE}
    for finding in findings:
        if LEAK_OF.get(finding.kind) not in failed:
            yield finding


def judge_memory(peak_mb: float, limit_mb: int, killed: str) -> Iterator[Finding]:
    """Judge the memory size, and recommend one."""
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
    """Judge the number of processes and threads."""
    if peak > DESCRIPTORS * 0.5:
        make = failure if peak > DESCRIPTORS else warning
        yield make(
            "processes",
            f"has {peak:,} processes and threads; Lambda allows {DESCRIPTORS:,}",
            on_lambda="clone fails with EAGAIN: can't start new thread",
            cure="a pool with a limit",
        )
