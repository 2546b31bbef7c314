"""The messages to and from a process that confines itself."""

from typing import TypedDict


class Plan(TypedDict):
    """What ``confine`` has to do."""

    home: str
    tmp_mb: int
    fresh_tmp: bool
    """Whether /tmp is replaced by an empty one."""
    kept: list[str]
    """Paths below the old /tmp that must stay visible."""
    closed: list[str]
    """Files and directories that only their owner may read."""
    descriptors: int
    watch: bool
    """Whether system calls are to be watched."""


class Enforced(TypedDict):
    """What ``confine`` could enforce, in words."""

    by: list[str]
    missing: list[str]
