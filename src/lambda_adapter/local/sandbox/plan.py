"""What a confined process is to do, and what it says it could do."""

from typing import TypedDict


class Plan(TypedDict):
    """What ``confine`` gets."""

    home: str
    tmp_mb: int
    fresh_tmp: bool
    """Whether /tmp is replaced by an empty one."""
    kept: list[str]
    """What lies below the old /tmp and has to be seen at the same place."""
    closed: list[str]
    """Files and directories that only their owner may read."""
    descriptors: int
    watch: bool
    """Whether system calls are to be watched."""


class Enforced(TypedDict):
    """What ``confine`` says, in words."""

    by: list[str]
    missing: list[str]
