"""A process group that never outlives this process, not even a killed one. Shell."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_adapter.launcher import tie_group


@contextmanager
def tied(group: int) -> Iterator[None]:
    """Tie a process group to this process; leaving kills what is left of the group."""
    lifeline = os.pipe()
    tie_group(group, lifeline)
    try:
        yield
    finally:
        for end in lifeline:
            os.close(end)
