"""The benchmarks by their names, and how much of each is enough.

The rounds and invocations are chosen so that all of them together take less than ten
minutes on two cores.
"""

from collections.abc import Callable

import msgspec

from bench import codec, cold_start, counts, growth, invoke, memory, subjects
from bench.plan import Plan
from bench.results import Series
from bench.subjects import FAST_API, TRIVIAL, Application


class Benchmark(msgspec.Struct, frozen=True):
    """What is run under a name, and how often unless something else is said."""

    measure: Callable[[Plan, Callable[[str], None]], list[Series]]
    steps: Callable[[Plan], int]
    subjects: list[str]
    rounds: int = 1
    invocations: int = 1
    cores: tuple[int, ...] = (1, 2)
    applications: tuple[Application, ...] = (TRIVIAL,)


INVOKE = Benchmark(
    invoke.measure, invoke.steps, list(subjects.SUBJECTS), rounds=7, invocations=1_000
)

BENCHMARKS = {
    "invoke": INVOKE,
    "cold-start": Benchmark(
        cold_start.measure,
        cold_start.steps,
        cold_start.NAMES,
        rounds=9,
        applications=(TRIVIAL, FAST_API),
    ),
    "growth": Benchmark(
        growth.measure,
        growth.steps,
        growth.NAMES,
        rounds=5,
        invocations=200,
        cores=(2,),
    ),
    "memory": Benchmark(
        memory.measure,
        memory.steps,
        memory.NAMES,
        invocations=100_000,
        cores=(2,),
    ),
    "codec": Benchmark(
        codec.measure,
        codec.steps,
        [subjects.OURS],
        rounds=7,
        invocations=1_000,
        cores=(1,),
    ),
    "counts": Benchmark(counts.measure, counts.steps, counts.NAMES, cores=(1,)),
}

QUICK = msgspec.structs.replace(
    INVOKE, subjects=["ours", "LWA"], rounds=7, invocations=1_000
)
"""For a look: less than a minute."""
