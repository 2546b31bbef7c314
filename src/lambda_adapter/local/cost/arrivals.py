"""Generate arrival times of requests: traces, as sorted times in seconds."""

import math
import random
from collections.abc import Callable, Iterator

import msgspec

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


class Trace(msgspec.Struct, frozen=True):
    """A pattern of arrivals; the seed decides their number and times."""

    name: str
    seconds: float
    """Duration of the trace."""
    mean: float
    """Mean requests per second."""
    make: Callable[[int], list[float]]
    """Return the arrivals for a seed."""


def steady(rate: float, seconds: float, seed: int) -> list[float]:
    """Return arrivals that are independent of each other, at a constant rate."""
    return list(_poisson(lambda _: rate, rate, seconds, seed))


def bursts(
    quiet: float, busy: float, every: float, lasts: float, seconds: float, seed: int
) -> list[float]:
    """Return arrivals at a quiet rate, with a busy rate at the end of each period."""

    def rate(time: float) -> float:
        return busy if time % every >= every - lasts else quiet

    return list(_poisson(rate, busy, seconds, seed))


def daily(mean: float, seed: int) -> list[float]:
    """Return a day whose rate varies between zero and twice its mean."""

    def rate(time: float) -> float:
        return mean * (1 - math.cos(2 * math.pi * time / DAY))

    return list(_poisson(rate, 2 * mean, DAY, seed))


def _poisson(
    rate: Callable[[float], float], most: float, seconds: float, seed: int
) -> Iterator[float]:
    """Return a Poisson process with a changing rate, by thinning one at the peak rate.

    https://en.wikipedia.org/wiki/Poisson_point_process#Thinning
    """
    dice = random.Random(seed)  # noqa: S311 - no secret
    time = dice.expovariate(most)
    while time < seconds:
        if dice.random() * most < rate(time):
            yield time
        time += dice.expovariate(most)


def _steady_trace(seed: int) -> list[float]:
    return steady(200, 10 * MINUTE, seed)


def _bursty_trace(seed: int) -> list[float]:
    return bursts(2, 100, 10 * MINUTE, 20, HOUR, seed)


def _spike_trace(seed: int) -> list[float]:
    return bursts(20, 4_000, 5 * MINUTE, 10, 5 * MINUTE, seed)


def _daily_trace(seed: int) -> list[float]:
    return daily(1, seed)


def _rare_trace(seed: int) -> list[float]:
    return steady(1 / (30 * MINUTE), 30 * DAY, seed)


TRACES = (
    Trace("steady", 10 * MINUTE, 200, _steady_trace),
    Trace("bursty", HOUR, 2 + 98 * 20 / 600, _bursty_trace),
    Trace("spike", 5 * MINUTE, 20 + 3_980 * 10 / 300, _spike_trace),
    Trace("daily", DAY, 1, _daily_trace),
    Trace("rare", 30 * DAY, 1 / (30 * MINUTE), _rare_trace),
)
