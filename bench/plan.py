"""How much is measured: of whom, on which cores, how often."""

import os

import msgspec

from bench.subjects import Application, Subject


class Plan(msgspec.Struct, frozen=True):
    """What every benchmark is told."""

    subjects: list[Subject]
    applications: list[Application]
    cores: list[list[int]]
    """On which ones, each in turn."""
    rounds: int
    invocations: int


def cores_of(counts: list[int]) -> list[list[int]]:
    """Return the first cores that this process may use, as many as each count says.

    With two cores asked for and one there, there is one place to measure.
    """
    usable = sorted(os.sched_getaffinity(0))
    places = [usable[:count] for count in counts]
    return [place for index, place in enumerate(places) if place not in places[:index]]
