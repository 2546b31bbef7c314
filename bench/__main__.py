"""``python -m bench``: measure, print tables, keep the numbers, draw them."""

import argparse
import sys
from pathlib import Path

from bench import codec, cold_start, counts, growth, invoke, memory
from bench.harness import plot, report, results
from bench.harness.builds import CACHE, MissingError, native
from bench.harness.results import Results
from bench.harness.run import Measurement, Run, first_cores
from bench.harness.session import BrokenRunError
from bench.harness.subjects import APPLICATIONS, SUBJECTS, find

MEASUREMENTS: dict[str, Measurement] = {
    "invoke": invoke,
    "cold-start": cold_start,
    "growth": growth,
    "memory": memory,
    "codec": codec,
    "counts": counts,
}


def main() -> int:
    """Run the command line, and return its exit status."""
    options = _parser().parse_args()
    try:
        if options.command == "plot":
            picture = options.output / "invoke.svg"
            plot.draw(results.load(options.results), picture)
            print(picture)
        else:
            _run(options)
    except (BrokenRunError, MissingError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    """Run one measurement, or all, and print and keep what they find."""
    found = results.begin()
    for program in "launch", "app":
        native(program)
    for name in MEASUREMENTS if options.command == "all" else [options.command]:
        _measure(name, options, found)
    results.save(found, options.json or CACHE / f"{options.command}.json")
    print(*report.lines(found), sep="\n")


def _measure(name: str, options: argparse.Namespace, found: Results) -> None:
    """Run one measurement, and add what it finds and what is missing for it."""
    measurement = MEASUREMENTS[name]
    defaults = measurement.DEFAULTS
    wanted = options.subject or defaults.subjects
    subjects, missing = find(
        [each for each in defaults.subjects if each in wanted], options.peer
    )
    run = Run(
        bench=name,
        subjects=subjects,
        applications=[APPLICATIONS[each] for each in options.app or ()]
        or [*defaults.applications],
        places=first_cores(options.cores or defaults.cores),
        rounds=options.rounds or defaults.rounds,
        invocations=options.invocations or defaults.invocations,
        missing=missing,
    )
    measurement.measure(run)
    found.missing.extend(each for each in run.missing if each not in found.missing)
    found.series.extend(run.series.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in (*MEASUREMENTS, "all"):
        command = commands.add_parser(name)
        command.add_argument("--subject", action="append", choices=SUBJECTS)
        command.add_argument("--app", action="append", choices=APPLICATIONS)
        command.add_argument("--cores", type=int, action="append", choices=[1, 2])
        command.add_argument("--rounds", type=int)
        command.add_argument("--invocations", type=int)
        command.add_argument("--peer", help="a Lambda Web Adapter that is built")
        command.add_argument("--json", type=Path, help="where to write the numbers")
    command = commands.add_parser("plot")
    command.add_argument("results", type=Path, nargs="?", default=CACHE / "all.json")
    command.add_argument("--output", type=Path, default=CACHE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
