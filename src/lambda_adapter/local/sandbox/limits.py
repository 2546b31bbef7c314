"""The limits of a function's environment.

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
"""HOME on Lambda, a directory that does not exist and can't be created."""

TMP_MB = 512
"""Default size of /tmp in megabytes:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"""


class Limits(msgspec.Struct, frozen=True):
    """The limits of a sandbox."""

    memory_mb: int = 1_024
    tmp_mb: int = TMP_MB
    init_cpu: float | None = None
    """vCPU until the application is ready; None for the memory's share."""

    @property
    def vcpu(self) -> float:
        """The vCPU of the memory size."""
        return vcpu_of(self.memory_mb)


def vcpu_of(memory_mb: int) -> float:
    """Return the vCPU of a function with so many megabytes."""
    return min(memory_mb / MB_PER_VCPU, MOST_VCPU)
