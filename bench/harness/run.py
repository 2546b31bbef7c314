"""A measurement, and one run of it: of which subjects, where, and how often."""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from bench.harness.results import Series
from bench.harness.subjects import Subject


class Defaults(msgspec.Struct, frozen=True):
    """How much is measured unless the command line says otherwise."""

    subjects: tuple[str, ...]
    rounds: int = 1
    invocations: int = 1
    cores: tuple[int, ...] = (1, 2)


class Run(msgspec.Struct, frozen=True):
    """One run of a measurement, and what it finds."""

    bench: str
    subjects: list[Subject]
    cores: Sequence[int]
    """How many, for each place to measure in."""
    rounds: int
    invocations: int
    series: list[Series] = []

    def turns(self) -> Iterator[tuple[int, Subject]]:
        """Return the turns of all rounds: how many cores, and which subject.

        All that a turn starts runs on the first so many cores. No subject is always the
        first.
        """
        usable = sorted(os.sched_getaffinity(0))
        for number in range(self.rounds):
            dice = random.Random(number)  # noqa: S311 - no secret
            for cores in self.cores:
                for subject in dice.sample(self.subjects, len(self.subjects)):
                    what = f"round {number + 1}, {cores} cores, {subject.name}"
                    print(f"{self.bench}: {what}", file=sys.stderr)
                    os.sched_setaffinity(0, usable[:cores])
                    yield cores, subject
        os.sched_setaffinity(0, usable)

    def add(
        self, case: str, cores: int, metric: str, unit: str, subject: str, value: float
    ) -> None:
        """Add one round's value."""
        new = Series(self.bench, case, cores, metric, unit, subject, [])
        for each in self.series:
            if (each.place, each.subject) == (new.place, subject):
                break
        else:
            self.series.append(each := new)
        each.rounds.append(value)

    def ordered(self) -> list[Series]:
        """Return what was found: at each place, the subjects as they were named."""
        places = list(dict.fromkeys(each.place for each in self.series))
        ranks = {each.name: rank for rank, each in enumerate(self.subjects)}

        def order(each: Series) -> tuple[int, int]:
            return places.index(each.place), ranks.get(each.subject, len(ranks))

        return sorted(self.series, key=order)


class Measurement(Protocol):
    """A module of ``bench/``."""

    DEFAULTS: Defaults

    def measure(self, run: Run) -> None:
        """Measure, and add what is found to the run."""
