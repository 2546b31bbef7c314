"""Simulate Managed Instances: running environments with concurrent requests.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html
"""

import heapq
import math
from collections.abc import Sequence

import msgspec

from lambda_adapter.local.cost.lambda_fleet import Outcome

SLOTS = 16
"""Concurrent requests for each vCPU: Lambda's default for Python.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html"""
LEAST = 3
"""Minimum number of instances, one in each availability zone.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html"""
RESERVED = 1
"""vCPU of each instance that the function can't use.
https://github.com/aws/agent-toolkit-for-aws, aws-lambda-managed-instances/SKILL.md"""
SIZES = (2, 4, 8, 16)
"""vCPU of the available instances, m7i.large to m7i.4xlarge."""
TARGET = 0.5
"""Load of a processor at the peak. Lambda adds machines within minutes, and until then
there must be room for twice the traffic."""


class Instances(msgspec.Struct, frozen=True):
    """Instances of one size, whose processors serve one queue.

    One queue is equivalent to routing to the least busy processor. How Lambda routes is
    not documented.
    """

    count: int
    size: int
    """vCPU of each."""

    @classmethod
    def for_load(cls, rate: float, processor: float) -> "Instances":
        """Return the cheapest instances for a rate of requests of given seconds."""
        needed = math.ceil(round(rate * processor / TARGET, 6))
        choices = [
            cls(max(LEAST, math.ceil(needed / (size - RESERVED))), size)
            for size in SIZES
        ]
        return min(choices, key=lambda each: each.bought)

    @property
    def bought(self) -> int:
        """The vCPU of all instances."""
        return self.count * self.size

    @property
    def processors(self) -> int:
        """The vCPU that serve requests."""
        return self.count * (self.size - RESERVED)


def queue(
    arrivals: Sequence[float],
    processor: float,
    waiting: float,
    processors: int,
    slots: int = SLOTS,
) -> Outcome:
    """Simulate requests that need a processor, and then wait for something else.

    Both are in seconds, and the same for each request: M/D/n, if they arrive at random.
    A request that finds all slots of all processors taken is refused.
    """
    outcome = Outcome()
    free = [0.0] * processors
    """When each processor becomes free: a heap."""
    leaving: list[float] = []
    """When each current request will have been served: a heap."""
    for now in arrivals:
        while leaving and leaving[0] <= now:
            heapq.heappop(leaving)
        if len(leaving) >= processors * slots:
            outcome.refused += 1
            continue
        begun = max(now, free[0])
        heapq.heapreplace(free, begun + processor)
        left = begun + processor + waiting
        heapq.heappush(leaving, left)
        outcome.latencies.append(left - now)
    return outcome
