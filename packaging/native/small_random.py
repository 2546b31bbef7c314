"""What trio's core takes of this module, without the hashes that the rest asks for."""

from __future__ import annotations

import _random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableSequence
    from typing import TypeVar

    T = TypeVar("T")


class Random(_random.Random):
    """Random numbers, seeded by the system."""

    def uniform(self, least: float, most: float) -> float:
        """Return a number between two others."""
        return least + (most - least) * self.random()

    def shuffle(self, values: MutableSequence[T]) -> None:
        """Shuffle values in place."""
        for last in reversed(range(1, len(values))):
            other = int(self.random() * (last + 1))
            values[last], values[other] = values[other], values[last]
