"""Estimate the monthly costs of a measured application.

The model is that of docs/costs.md: environments as Lambda starts and keeps them, under
each of its five kinds of traffic, scaled to the requests of a month.
"""

from collections.abc import Sequence
from functools import cache

import msgspec

from lambda_adapter.local.check.rules.start import Start
from lambda_adapter.local.cost import prices
from lambda_adapter.local.cost.arrivals import DAY, TRACES, Trace
from lambda_adapter.local.cost.lambda_fleet import Fleet, Service, serve
from lambda_adapter.local.cost.managed import Instances
from lambda_adapter.local.sandbox.limits import vcpu_of

MONTH = 30 * DAY
SIZES = (256, 512, 1_024, 1_769)
RESTORE = 0.3
"""Assumed seconds of a restore, as in docs/costs.md."""

PRICED = "November 2026"
"""Date of the prices: us-east-1, x86-64, without free tier."""

FARGATE = (0.25, 0.5)
"""vCPU and GB of Fargate's smallest task."""

MOST_ARRIVALS = 20_000
"""Most arrivals of a trace to simulate; the rest is similar."""


class Measured(msgspec.Struct, frozen=True):
    """The measurements of an application."""

    request_cpu: float
    """CPU seconds of a request, including the adapter's."""
    request_waits: float
    """Seconds of a request in which it waits."""
    start: Start
    peak_mb: float


class Line(msgspec.Struct, frozen=True):
    """The dollars of a month for one kind of traffic."""

    traffic: str
    requests: int
    on_demand: dict[int, float]
    """Dollars by megabytes."""
    snapstart: float
    managed: float
    fargate: float


def bill(measured: Measured, monthly: int) -> list[Line]:
    """Return the costs of a month's requests, for each kind of traffic."""
    return [_bill_line(measured, trace, monthly) for trace in TRACES]


def _bill_line(measured: Measured, trace: Trace, monthly: int) -> Line:
    arrivals = _arrivals_of(trace.name)
    on_demand = {
        size: _on_demand(measured, arrivals, size) * monthly
        for size in SIZES
        if size >= measured.peak_mb
    }
    snapstart = _snapstart(measured, arrivals, 1_769, monthly)
    rate = max(monthly / MONTH, 1e-9) * _peak_to_mean(trace)
    instances = Instances.for_load(rate, max(measured.request_cpu, 1e-4))
    managed = prices.managed(monthly, instances.bought, MONTH)
    return Line(
        trace.name,
        monthly,
        on_demand,
        snapstart,
        managed,
        prices.fargate(*FARGATE, MONTH),
    )


@cache
def _arrivals_of(name: str) -> tuple[float, ...]:
    trace = next(each for each in TRACES if each.name == name)
    return tuple(trace.make(0)[:MOST_ARRIVALS])


def _peak_to_mean(trace: Trace) -> float:
    """Return the ratio of the peak rate to the mean."""
    busiest = {"steady": 1.2, "bursty": 100 / trace.mean, "spike": 4_000 / trace.mean}
    return busiest.get(trace.name, 2.0)


def seconds_at(measured: Measured, size: int) -> float:
    """Estimate the seconds of a request at a memory size."""
    return measured.request_waits + measured.request_cpu / min(vcpu_of(size), 1)


def _on_demand(measured: Measured, arrivals: Sequence[float], size: int) -> float:
    """Return the dollars of a request on demand."""
    request = seconds_at(measured, size)
    service = Service.started(request, measured.start.at(size), request)
    outcome = serve(arrivals, service, Fleet())
    served = max(len(outcome.latencies), 1)
    return prices.on_demand(served, outcome.billed, size) / served


def _snapstart(
    measured: Measured, arrivals: Sequence[float], size: int, monthly: int
) -> float:
    """Return the dollars of a month with SnapStart."""
    request = seconds_at(measured, size)
    service = Service.restored(request, RESTORE, request)
    outcome = serve(arrivals, service, Fleet())
    served = max(len(outcome.latencies), 1)
    scale = monthly / served
    restores = round(outcome.cold_starts * scale)
    work = prices.on_demand(monthly, outcome.billed * scale, size)
    return work + prices.snapshots(restores, MONTH, size)


def assumptions(measured: Measured, monthly: int) -> list[str]:
    """Return the assumptions behind the costs, one line each."""
    cpu, waits = measured.request_cpu * 1e3, measured.request_waits * 1e3
    start = measured.start
    needs = (
        f"a request needs {cpu:.1f} ms of CPU and {waits:.1f} ms of waiting, a start"
        f" {start.cpu:.2f} s of CPU and {start.waits:.2f} s of waiting"
    )
    return [
        f"{monthly:,} requests a month, as in the five kinds of traffic of costs.md",
        needs,
        f"prices of us-east-1 for x86-64, {PRICED}, without free tier, gateways, logs",
        "SnapStart: at 1,769 MB, restored in 0.3 s",
        "Fargate: its smallest task, always on, without a load balancer",
    ]
