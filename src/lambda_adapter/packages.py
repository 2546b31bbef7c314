"""Which packages of an application the adapter can't use in the same process.

Imported only where one of them can't be imported. Shell.
"""

import os
from importlib.metadata import PackageNotFoundError, distributions, version

import lambda_adapter


def describe_conflicts() -> str:
    """Name the packages that are found first, and are others than the adapter's."""
    here = os.path.dirname(lambda_adapter.__path__[0])
    conflicts: list[str] = []
    for ours in distributions(path=[here]):
        try:
            found = version(ours.name)
        except PackageNotFoundError:
            continue
        if found != ours.version:
            conflicts.append(
                f"{ours.name} {found} (the adapter comes with {ours.version})"
            )
    if not conflicts:
        return "none of the packages is another one than the adapter's"
    return "the application's packages come first: " + ", ".join(sorted(conflicts))
