"""The whole simulation: each subject, in each way to run it, under each trace."""

import statistics
from collections.abc import Iterator, Sequence

from bench.fleet import figures
from bench.fleet.figures import Figures
from bench.harness.results import Results, Series
from lambda_adapter.local.cost import prices
from lambda_adapter.local.cost.arrivals import TRACES, Trace
from lambda_adapter.local.cost.lambda_fleet import Fleet, Outcome, Service, serve
from lambda_adapter.local.cost.managed import Instances, queue

ON_DEMAND, SNAPSTART, MANAGED = "on demand", "SnapStart", "Managed Instances"
WAYS = (ON_DEMAND, SNAPSTART, MANAGED)

MEGABYTES = 1_769
"""Of the function, so that it has one vCPU, which is what was measured:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
PROCESSOR, WAITING = 0.005, 0.045
"""Seconds that the application itself takes for a request: at work, and until its
database has replied."""
RESTORE = 0.3
"""Seconds until a snapshot is restored: assumed, since it takes AWS to measure it."""

MILLION = 1_000_000


def simulate(
    found: Results, rounds: int, traces: Sequence[Trace] = TRACES
) -> list[Series]:
    """Return what each subject costs in each case, round by round.

    Raises:
        KeyError: the run lacks some of the figures.
    """
    series: dict[tuple[str, str, str], Series] = {}
    measured = figures.read(found)
    for number in range(rounds):
        for trace in traces:
            arrivals = trace.make(number)
            for way in WAYS:
                case = f"{trace.name}, {way}"
                for name, known in measured.items():
                    now = known[number % len(known)]
                    for metric, unit, value in _values(arrivals, trace, way, now):
                        new = Series("fleet", case, 1, metric, unit, name, [])
                        each = series.setdefault((case, metric, name), new)
                        each.rounds.append(value)
    places = list(dict.fromkeys(each.place for each in series.values()))
    return sorted(series.values(), key=lambda each: places.index(each.place))


def _values(
    arrivals: Sequence[float], trace: Trace, way: str, now: Figures
) -> Iterator[tuple[str, str, float]]:
    """Serve a trace in one way, and return its metrics: name, unit, value."""
    outcome, cost, starts = _serve(arrivals, trace.seconds, way, now)
    served = len(outcome.latencies)
    cuts = statistics.quantiles(outcome.latencies, n=1000, method="inclusive")
    yield "cost", "$ a million", cost / served * MILLION
    yield "starts", "$ a million", starts / served * MILLION
    yield "cold starts", "a million", outcome.cold_starts / served * MILLION
    yield "p50", "ms", cuts[499] * 1e3
    yield "p99", "ms", cuts[989] * 1e3
    yield "p99.9", "ms", cuts[998] * 1e3
    yield "refused", "a million", outcome.refused / len(arrivals) * MILLION


def _serve(
    arrivals: Sequence[float], seconds: float, way: str, now: Figures
) -> tuple[Outcome, float, float]:
    """Return what becomes of a trace, its dollars, and those of them for starts."""
    if way == MANAGED:
        return _serve_managed(arrivals, seconds, now)
    work = PROCESSOR + WAITING
    request, first = now.request + work, now.start - now.init + work
    if way == SNAPSTART:
        service = Service.restored(request, RESTORE, first)
    else:
        service = Service.started(request, now.init, first)
    outcome = serve(arrivals, service, Fleet())
    served = len(outcome.latencies)
    cost = prices.on_demand(served, outcome.billed, MEGABYTES)
    if way == SNAPSTART:
        cost += prices.snapshots(outcome.cold_starts, seconds, MEGABYTES)
    warm = prices.on_demand(served, served * service.billed, MEGABYTES)
    return outcome, cost, cost - warm


def _serve_managed(
    arrivals: Sequence[float], seconds: float, now: Figures
) -> tuple[Outcome, float, float]:
    processor = PROCESSOR + now.request
    instances = Instances.for_load(_busiest(arrivals), processor)
    outcome = queue(arrivals, processor, WAITING, instances.processors)
    served = len(outcome.latencies)
    return outcome, prices.managed(served, instances.bought, seconds), 0


def _busiest(arrivals: Sequence[float], window: float = 10) -> float:
    """Return the highest rate of a trace, in requests a second over ten seconds."""
    counts: dict[int, int] = {}
    for time in arrivals:
        counts[int(time / window)] = counts.get(int(time / window), 0) + 1
    return max(counts.values()) / window
