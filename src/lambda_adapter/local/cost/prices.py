"""What AWS charges, in dollars: us-east-1, x86-64, November 2026, without free tier.

https://aws.amazon.com/lambda/pricing/
"""

REQUEST = 0.20 / 1e6
GB_SECOND = 0.0000166667
RESTORED_GB = 0.0001397998
"""For each restore, a GB of the function's memory."""
CACHED_GB_SECOND = 0.0000015046
"""For as long as a version with a snapshot is there, three hours at least."""
MANAGED = 1.15
"""Of the instances' price: 15 % for managing them."""
VCPU_HOUR = 0.1008 / 2
"""Of m7i instances on demand, priced by their size: m7i.large has two vCPU and 8 GB.
https://aws.amazon.com/ec2/pricing/on-demand/"""


def on_demand(requests: int, seconds: float, megabytes: int) -> float:
    """Return what so many requests cost that took so many billed seconds in all."""
    return requests * REQUEST + seconds * megabytes / 1024 * GB_SECOND


def snapshots(restores: int, seconds: float, megabytes: int) -> float:
    """Return what SnapStart adds: restores, and a snapshot that is kept so long."""
    gigabytes = megabytes / 1024
    return gigabytes * (restores * RESTORED_GB + seconds * CACHED_GB_SECOND)


def managed(requests: int, processors: int, seconds: float) -> float:
    """Return what instances with so many vCPU cost for so long, and their requests."""
    return requests * REQUEST + processors * seconds / 3_600 * VCPU_HOUR * MANAGED


FARGATE_VCPU_HOUR = 0.04048
FARGATE_GB_HOUR = 0.004445
"""https://aws.amazon.com/fargate/pricing/: Linux on x86-64."""


def fargate(processors: float, gigabytes: float, seconds: float) -> float:
    """Return what one task of Fargate costs for so long, without a load balancer."""
    hours = seconds / 3_600
    return hours * (processors * FARGATE_VCPU_HOUR + gigabytes * FARGATE_GB_HOUR)
