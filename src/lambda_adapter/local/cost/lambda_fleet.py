"""Simulate on-demand environments: one request at a time, started when none is free.

https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
"""

import heapq
import math
from collections import deque
from collections.abc import Sequence

import msgspec

BURST = 1_000
"""Environments that a function can start immediately, and at most ..."""
REFILL = 100
"""... and so many more each second: 1,000 in 10 s, continuously."""


class Fleet(msgspec.Struct, frozen=True):
    """The account's limits, and how long Lambda keeps an idle environment."""

    concurrency: int = 3_000
    """The account's quota. It is 1,000 unless one has asked for more
    (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), and then
    the quota is what limits, rather than how fast Lambda scales."""
    keep_alive: float = 600
    """Seconds. Lambda documents none; ten minutes are what was measured in 2019:
    https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/"""


class Service(msgspec.Struct, frozen=True):
    """Durations of a request in seconds: for its client, and billed."""

    request: float
    first_request: float
    """The whole time of a request that starts an environment."""
    billed: float
    billed_first: float

    @classmethod
    def started(cls, request: float, init: float, first: float) -> "Service":
        """Return the service of environments that start with an init.

        Their first request takes ``first`` after it, and all others ``request``. Each
        begun millisecond is billed, of the init as well:
        https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
        """
        billed = _begun_milliseconds(init) + _begun_milliseconds(first)
        return cls(request, init + first, _begun_milliseconds(request), billed)

    @classmethod
    def restored(cls, request: float, restore: float, first: float) -> "Service":
        """Return the service of environments that start with a restored snapshot.

        To restore one is not billed by time:
        https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html
        """
        return cls(
            request,
            restore + first,
            _begun_milliseconds(request),
            _begun_milliseconds(first),
        )


def _begun_milliseconds(seconds: float) -> float:
    return math.ceil(round(seconds * 1e3, 6)) / 1e3


class Outcome(msgspec.Struct):
    """The result of a trace."""

    latencies: list[float] = []
    """Seconds of each served request, in order of arrival."""
    billed: float = 0
    """Seconds in total."""
    cold_starts: int = 0
    refused: int = 0


def serve(arrivals: Sequence[float], service: Service, fleet: Fleet) -> Outcome:
    """Serve a trace, and return its result.

    A request that finds no free environment waits for the one that is started for it,
    even if another becomes free before. The most recently used one is used first.
    """
    outcome = Outcome()
    busy: list[float] = []
    """When each busy environment becomes free: a heap."""
    idle: deque[float] = deque()
    """Since when each idle environment is free, longest first."""
    allowed, refilled = float(BURST), 0.0
    for now in arrivals:
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        while idle and idle[0] < now - fleet.keep_alive:
            idle.popleft()
        if idle:
            idle.pop()
            took, billed = service.request, service.billed
        else:
            allowed = min(BURST, allowed + (now - refilled) * REFILL)
            refilled = now
            if allowed < 1 or len(busy) >= fleet.concurrency:
                outcome.refused += 1
                continue
            allowed -= 1
            outcome.cold_starts += 1
            took, billed = service.first_request, service.billed_first
        heapq.heappush(busy, now + took)
        outcome.latencies.append(took)
        outcome.billed += billed
    return outcome
