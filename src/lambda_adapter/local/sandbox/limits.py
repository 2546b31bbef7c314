"""How much of a machine a function has.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import msgspec

MB_PER_VCPU = 1_769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

MOST_VCPU = 6.0
"""vCPU of a function with 10,240 MB: the same page."""

DESCRIPTORS = 1_024
"""Open files of an environment, and as many processes and threads."""

HOME = "/home/sbx_user1051"
"""HOME on Lambda: a directory that is not there and can't be made."""

TMP_MB = 512
"""Megabytes of /tmp unless one asks for more:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"""


class Limits(msgspec.Struct, frozen=True):
    """What a sandbox allows."""

    memory_mb: int = 1_024
    tmp_mb: int = TMP_MB
    init_cpu: float | None = None
    """vCPU until the application is ready; None means what the memory brings."""

    @property
    def vcpu(self) -> float:
        """The vCPU that the memory brings."""
        return vcpu_of(self.memory_mb)


def vcpu_of(memory_mb: int) -> float:
    """Return the vCPU of a function with so many megabytes."""
    return min(memory_mb / MB_PER_VCPU, MOST_VCPU)
