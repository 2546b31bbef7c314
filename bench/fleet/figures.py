"""What a run has measured of the subjects, as far as the simulation takes it."""

import msgspec

from bench import in_process
from bench.harness.results import Results, Series
from bench.harness.run import Run
from bench.harness.subjects import FAST_API, NATIVE, PEER, find

SUBJECTS = {
    NATIVE: "this adapter",
    "asyncio": "this adapter, in process",
    "Mangum": "Mangum",
    PEER: "LWA",
}
"""What is compared, and what the page calls it."""

METRICS = {"p50": 1e6, "cold start to /next": 1e3, "cold start": 1e3}
"""What is taken of each subject, and how many of its units are a second."""

ROUNDS = 15


class Figures(msgspec.Struct, frozen=True):
    """What one round has found of a subject, in seconds."""

    request: float
    """Of a request to FastAPI that does nothing else."""
    init: float
    """From the start to the first ``/next``, FastAPI's start included."""
    start: float
    """From the start to the first reply."""


def taken(found: Results) -> list[Series]:
    """Return what the simulation takes of a run: FastAPI on one core."""
    return [
        each
        for each in found.series
        if (each.bench, each.case, each.cores) == ("in-process", FAST_API.name, 1)
        and each.subject in SUBJECTS
        and each.metric in METRICS
    ]


def are_in(found: Results) -> bool:
    """Tell whether a run has all that the simulation takes."""
    return len(taken(found)) == len(SUBJECTS) * len(METRICS)


def read(found: Results) -> dict[str, list[Figures]]:
    """Return the figures of each subject, round by round."""
    rounds = {
        (each.subject, each.metric): [
            value / METRICS[each.metric] for value in each.rounds
        ]
        for each in taken(found)
    }
    figures: dict[str, list[Figures]] = {}
    for subject in SUBJECTS:
        columns = [rounds[subject, metric] for metric in METRICS]
        figures[subject] = [Figures(*row) for row in zip(*columns, strict=True)]
    return figures


def measure(rounds: int) -> list[Series]:
    """Measure what the simulation takes, on one core."""
    subjects = [find(name) for name in SUBJECTS]
    invocations = in_process.DEFAULTS.invocations
    run = Run("in-process", subjects, [1], rounds, invocations)
    in_process.measure(run, [FAST_API])
    return run.ordered()
