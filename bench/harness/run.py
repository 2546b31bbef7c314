"""A measurement, and one run of it: of which subjects, where, and how often."""

import os
import random
import sys
from collections.abc import Iterable
from typing import Protocol

import msgspec

from bench.harness.results import Series
from bench.harness.subjects import PEER, TRIVIAL, Application, Missing, Subject


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a measurement. What it finds goes into ``series``."""

    bench: str
    subjects: list[Subject]
    applications: list[Application]
    places: list[list[int]]
    """The CPUs of each place to measure in, such as ``[[0], [0, 1]]``."""
    rounds: int
    invocations: int
    series: dict[tuple[str, int, str, str], Series] = {}
    missing: list[Missing] = []

    def say(self, what: str) -> None:
        """Show what is being measured."""
        print(f"{self.bench}: {what}", file=sys.stderr)

    def shuffled(self, number: int) -> list[Subject]:
        """Return the subjects in the order of a round; none is always the first."""
        dice = random.Random(number)  # noqa: S311 - no secret
        return dice.sample(self.subjects, len(self.subjects))

    def add(
        self,
        place: tuple[str, int, str],
        metric: str,
        unit: str,
        value: float,
        peer: str = PEER,
    ) -> None:
        """Add one round's value at a place: case, number of cores, subject."""
        case, cores, subject = place
        series = Series(
            bench=self.bench,
            case=case,
            cores=cores,
            subject=subject,
            metric=metric,
            unit=unit,
            rounds=[],
            peer=peer,
        )
        self.series.setdefault((*place, metric), series).rounds.append(value)


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured unless the command line says otherwise."""

    subjects: tuple[str, ...]
    rounds: int = 1
    invocations: int = 1
    cores: tuple[int, ...] = (1, 2)
    applications: tuple[Application, ...] = (TRIVIAL,)


class Measurement(Protocol):
    """A module of ``bench/``."""

    DEFAULTS: Defaults

    def measure(self, run: Run) -> None:
        """Measure, and add what is found to the run."""


def first_cores(counts: Iterable[int]) -> list[list[int]]:
    """Return the first CPUs that this process may use, as many as each count says.

    Where two cores are wanted and one is there, that is one place to measure.
    """
    usable = sorted(os.sched_getaffinity(0))
    places = [usable[:count] for count in counts]
    return [place for index, place in enumerate(places) if place not in places[:index]]
