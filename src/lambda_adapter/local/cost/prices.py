"""AWS's prices in dollars: us-east-1, x86-64, November 2026, without free tier.

https://aws.amazon.com/lambda/pricing/
"""

REQUEST = 0.20 / 1e6
GB_SECOND = 0.0000166667
RESTORED_GB = 0.0001397998
"""Price of a restore for each GB of the function's memory."""
CACHED_GB_SECOND = 0.0000015046
"""While a version with a snapshot exists, at least three hours."""
MANAGED = 1.15
"""Factor on the instances' price: 15 % for managing them."""
VCPU_HOUR = 0.1008 / 2
"""On-demand m7i instances, priced by size: m7i.large has two vCPU and 8 GB.
https://aws.amazon.com/ec2/pricing/on-demand/"""


def on_demand(requests: int, seconds: float, megabytes: int) -> float:
    """Return the cost of requests with the given total of billed seconds."""
    return requests * REQUEST + seconds * megabytes / 1024 * GB_SECOND


def snapshots(restores: int, seconds: float, megabytes: int) -> float:
    """Return the cost that SnapStart adds: restores, and keeping a snapshot."""
    gigabytes = megabytes / 1024
    return gigabytes * (restores * RESTORED_GB + seconds * CACHED_GB_SECOND)


def managed(requests: int, processors: int, seconds: float) -> float:
    """Return the cost of instances with so many vCPU, and of their requests."""
    return requests * REQUEST + processors * seconds / 3_600 * VCPU_HOUR * MANAGED


FARGATE_VCPU_HOUR = 0.04048
FARGATE_GB_HOUR = 0.004445
"""https://aws.amazon.com/fargate/pricing/: Linux on x86-64."""


def fargate(processors: float, gigabytes: float, seconds: float) -> float:
    """Return the cost of one Fargate task, without a load balancer."""
    hours = seconds / 3_600
    return hours * (processors * FARGATE_VCPU_HOUR + gigabytes * FARGATE_GB_HOUR)
