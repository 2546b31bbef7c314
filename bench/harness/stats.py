"""Quantiles, and the confidence intervals of medians. Pure."""

import random
import statistics
from collections.abc import Sequence
from typing import NamedTuple

RESAMPLES = 2000
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A median and its bootstrap interval."""

    median: float
    low: float
    high: float


def quantile(values: Sequence[float], q: float) -> float:
    """Return the value below which the share ``q`` lies, interpolated.

    Raises:
        ValueError: there are no values, or ``q`` is not within 0 to 1.
    """
    if not values or not 0 <= q <= 1:
        raise ValueError(f"the {q} quantile of {len(values)} values")
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def estimate(values: Sequence[float]) -> Estimate:
    """Return the median and its interval, always the same for the same values.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("the median of no values")
    dice = random.Random(0)  # noqa: S311 - no secret
    medians = [
        statistics.median(dice.choices(values, k=len(values)))
        for _ in range(RESAMPLES if len(values) > 1 else 1)
    ]
    outside = (1 - CONFIDENCE) / 2
    return Estimate(
        statistics.median(values),
        quantile(medians, outside),
        quantile(medians, 1 - outside),
    )


def ratios(values: Sequence[float], peers: Sequence[float]) -> list[float]:
    """Return the ratio of each pair of values that were measured side by side.

    Raises:
        ValueError: there are more of one than of the other.
    """
    return [value / peer for value, peer in zip(values, peers, strict=True)]


def slope(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the rise per unit between two points."""
    return (second[1] - first[1]) / (second[0] - first[0])
