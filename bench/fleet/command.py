"""The command: measure the figures, if asked to, and simulate."""

import argparse
from pathlib import Path

from bench.fleet import figures, simulation
from bench.harness import results
from bench.harness.results import Results
from bench.harness.subjects import BenchError, compile_programs


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--measure", action="store_true", help="measure the figures anew, on one core"
    )
    source.add_argument("--figures", type=Path, help="a run to take them from")
    parser.add_argument("--rounds", type=int, default=figures.ROUNDS)


def run(options: argparse.Namespace) -> Results:
    """Return what was measured, and what the simulation makes of it.

    Raises:
        BenchError: there are no figures.
    """
    if options.measure:
        compile_programs()
        found = results.begin()
        found.series.extend(figures.measure(options.rounds))
    elif options.figures:
        found = results.load(options.figures)
    else:
        found = results.newest(figures.are_in)
    if not figures.are_in(found):
        raise BenchError("that run has not all figures: take another, or --measure")
    taken = Results(found.origin, figures.taken(found))
    add(taken, options.rounds)
    return taken


def add(found: Results, rounds: int = figures.ROUNDS) -> None:
    """Add to a run what the simulation makes of its figures."""
    found.series.extend(simulation.simulate(found, rounds))


def was_run(found: Results) -> bool:
    """Tell whether a run has a simulation."""
    return any(each.bench == "fleet" for each in found.series)
