"""The processes of an application that have not ended."""

import contextlib

from lambda_adapter.local import processes
from lambda_adapter.local.check.subject import Subject


def living(subject: Subject) -> dict[int, str]:
    """Return the names of all processes, with the adapter's, by pid."""
    names: dict[int, str] = {}
    for process in processes.tree(subject.environment.adapter.pid or 0):
        with contextlib.suppress(*processes.GONE):
            if process.status() not in processes.ENDED:
                names[process.pid] = process.name()
    return names
