"""What the tests of the images measure, to be printed at the end."""

from collections import defaultdict

TABLES: defaultdict[str, list[str]] = defaultdict(list)
"""Rows by the title of their table."""

SIZES = "Size of the adapter in an image (MB; MB as gzip)"
STARTS = "Cold start under the emulator, to the first reply (ms)"


def note(table: str, what: str, *values: float | str) -> None:
    """Add a row."""
    TABLES[table].append(f"{what:40}" + "".join(f"{value:>10}" for value in values))
