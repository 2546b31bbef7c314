"""The recent invocations, and whom to tell of new ones. Core: no I/O."""

from collections import deque
from collections.abc import Iterator

from lambda_adapter.local.invocation import Invocation

MAX_RECORDS = 100
"""Invocations that are remembered."""

MAX_SIZE = 67_108_864
"""Bytes that they take at most, the latest one aside."""


class Records:
    """The recent invocations, the latest first."""

    def __init__(self) -> None:
        self._kept: deque[Invocation] = deque()
        self._count = 0

    def __iter__(self) -> Iterator[Invocation]:
        return iter(self._kept)

    def add(self, invocation: Invocation) -> None:
        """Number an invocation, and remember it."""
        self._count += 1
        invocation.number = self._count
        self._kept.appendleft(invocation)
        while len(self._kept) > 1 and (
            len(self._kept) > MAX_RECORDS
            or sum(each.size for each in self._kept) > MAX_SIZE
        ):
            self._kept.pop()

    def find(self, number: int) -> Invocation | None:
        """Return an invocation by its number, if it is remembered."""
        return next((each for each in self._kept if each.number == number), None)
