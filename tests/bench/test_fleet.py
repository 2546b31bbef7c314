"""The model of what a function costs, beside what can be computed by hand."""

import math
from itertools import pairwise

import numpy
import pytest

from lambda_adapter.local.cost.arrivals import TRACES, Trace, steady
from lambda_adapter.local.cost.lambda_fleet import Fleet, Service, serve
from lambda_adapter.local.cost.managed import Instances, queue

WARM = Service(request=0.1, first_request=0.1, billed=0.1, billed_first=0.6)
"""100 ms a request; an environment's start takes no time, and 500 ms are billed."""
START = Service(request=0.1, first_request=1.1, billed=0.1, billed_first=1.1)
"""100 ms a request, and another second for an environment's start."""


def test_two_requests_at_once():
    """A request that arrives while the only environment is busy starts another."""
    outcome = serve([0.0, 0.05, 1.2, 1.35], START, Fleet())

    assert outcome.latencies == pytest.approx([1.1, 1.1, 0.1, 0.1])
    assert outcome.cold_starts == 2
    assert outcome.billed == pytest.approx(1.1 + 1.1 + 0.1 + 0.1)


def test_keep_alive():
    """An environment that was idle for too long is started again."""
    fleet = Fleet(keep_alive=10)

    outcome = serve([0.0, 11.0, 21.2], START, fleet)

    assert outcome.latencies == pytest.approx([1.1, 0.1, 1.1])


def test_most_recent_first():
    """The environment that became idle last is used first, so that others can go."""
    fleet = Fleet(keep_alive=10)
    alone = [2.0 + 5 * n for n in range(4)]

    outcome = serve([0.0, 0.0, *alone, 20.0, 20.0], WARM, fleet)

    assert outcome.cold_starts == 2 + 1


def test_scaling_rate():
    """Lambda starts 1,000 environments immediately, and 100 more each second."""
    outcome = serve([0.0] * 1_500 + [2.0] * 2_000, START, Fleet(concurrency=5_000))

    # The first 1,000 are free again after 1.1 s, and in two seconds 200 more may start.
    assert outcome.refused == 500 + (2_000 - 1_000 - 200)
    assert outcome.cold_starts == 1_200


def test_unused_scaling_rate():
    """An unused scaling rate does not add to the first 1,000."""
    outcome = serve([3_600.0] * 1_500, START, Fleet(concurrency=5_000))

    assert (outcome.cold_starts, outcome.refused) == (1_000, 500)


def test_concurrency_limit():
    """A request beyond the account's concurrency is refused, not queued."""
    outcome = serve([0.0] * 15, START, Fleet(concurrency=10))

    assert (len(outcome.latencies), outcome.refused) == (10, 5)


def test_refusals_are_erlangs():
    """Without a queue, the share that is refused is Erlang's formula B."""
    # For any service time: https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_B_formula
    load, environments = 8.0, 10
    times = steady(rate=load / 0.1, seconds=1_000, seed=1)

    outcome = serve(times, WARM, Fleet(concurrency=environments))

    terms = [load**n / math.factorial(n) for n in range(environments + 1)]
    blocked = terms[-1] / sum(terms)
    assert outcome.refused / len(times) == pytest.approx(blocked, rel=0.05)


def test_spike():
    """In a spike, a start of half the time needs fewer environments, and refuses less.

    4,000 requests a second arrive until the first environment is free, of which Lambda
    starts 1,000 at once and 100 a second.
    """
    times = [n / 4_000 for n in range(8_000)]
    slow = Service(request=0.05, first_request=0.8, billed=0, billed_first=0)
    fast = Service(request=0.05, first_request=0.4, billed=0, billed_first=0)

    slow_outcome, fast_outcome = (serve(times, each, Fleet()) for each in (slow, fast))

    assert slow_outcome.refused == pytest.approx(0.8 * 4_000 - 1_080, abs=2)
    assert fast_outcome.refused == pytest.approx(0.4 * 4_000 - 1_040, abs=2)
    assert fast_outcome.cold_starts < slow_outcome.cold_starts


def test_queue_of_one_processor():
    """With one processor, the mean wait is Pollaczek's and Khinchine's for M/D/1."""
    # https://en.wikipedia.org/wiki/M/D/1_queue
    busy, service = 0.7, 0.01
    times = steady(rate=busy / service, seconds=2_000, seed=1)

    outcome = queue(times, service, 0, processors=1, slots=10_000)

    mean = sum(outcome.latencies) / len(times) - service
    assert mean == pytest.approx(busy * service / (2 * (1 - busy)), rel=0.05)


@pytest.mark.parametrize(("processors", "busy"), [(2, 0.8), (4, 0.9)])
def test_queue_of_several_processors(processors: int, busy: float):
    """With several processors, the mean wait is Crommelin's for M/D/n."""
    service = 0.01
    times = steady(rate=busy * processors / service, seconds=800, seed=1)

    outcome = queue(times, service, 0, processors=processors, slots=10_000)

    mean = sum(outcome.latencies) / len(times) - service
    expected = crommelin(processors, busy * processors) * service
    assert mean == pytest.approx(expected, rel=0.1)


def crommelin(servers: int, load: float) -> float:
    """Return the mean wait in M/D/n, in service times.

    Whoever is in service now has left a service time later, and nobody who comes
    meanwhile has: N(t + D) = max(N(t) - n, 0) + Poisson(load). The stationary solution
    of that, and Little's law, give the wait.
    https://en.wikipedia.org/wiki/M/D/c_queue
    """
    most = 400
    poisson = [math.exp(-load)]
    for n in range(1, most):
        poisson.append(poisson[-1] * load / n)
    found = [1.0] + [0.0] * (most - 1)
    for _ in range(600):
        begun = [sum(found[: servers + 1]), *found[servers + 1 :]]
        found = list(numpy.convolve(begun, poisson)[:most])
    waiting = sum(max(n - servers, 0) * share for n, share in enumerate(found))
    return waiting / load


def test_slots():
    """A request that finds all slots of all processors taken is refused."""
    outcome = queue([0.0] * 9, 0.1, 1, processors=4, slots=2)

    assert (len(outcome.latencies), outcome.refused) == (8, 1)


@pytest.mark.parametrize(
    ("rate", "instances"),
    [
        # One processor half busy; three of m7i.large serve with one processor each.
        (50, Instances(count=3, size=2)),
        # 10 processors: three of m7i.xlarge serve with 9, four with 12; 20 of m7i.large
        # would be needed, and two of m7i.2xlarge would do if three were not the least.
        (500, Instances(count=4, size=4)),
        # 60 processors: 20 of m7i.xlarge are 80 vCPU, 9 of m7i.2xlarge 72, and 4 of
        # m7i.4xlarge 64.
        (3_000, Instances(count=4, size=16)),
    ],
)
def test_instances(rate: float, instances: Instances):
    """Instances are three at least, the cheapest that keep a processor half free."""
    found = Instances.for_load(rate, processor=0.01)

    assert found == instances


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.name)
def test_traces(trace: Trace):
    """A trace is in order, is the same for the same seed, and has its mean rate."""
    times = trace.make(1)

    assert times == trace.make(1)
    assert times[:5] != trace.make(2)[:5]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert times[0] >= 0
    assert times[-1] < trace.seconds
    assert len(times) / trace.seconds == pytest.approx(trace.mean, rel=0.05)
