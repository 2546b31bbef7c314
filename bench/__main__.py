"""``python -m bench``: measure, print tables, keep the numbers, renew the pages."""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import (
    codec,
    cold_start,
    counts,
    growth,
    in_process,
    invoke,
    memory,
    start,
    stream,
)
from bench.fleet import command as fleet
from bench.fleet import figures, pages
from bench.harness import plot, report, results
from bench.harness.results import Results
from bench.harness.run import Measurement, Run
from bench.harness.subjects import CACHE, PROJECT, BenchError, compile_programs, find

MEASUREMENTS: dict[str, Measurement] = {
    "counts": counts,
    "invoke": invoke,
    "cold-start": cold_start,
    "start": start,
    "growth": growth,
    "stream": stream,
    "memory": memory,
    "codec": codec,
    "in-process": in_process,
}
LATEST = results.KEPT / "latest.jsonl"
BENCHMARKS, COSTS = PROJECT / "docs" / "benchmarks.md", PROJECT / "docs" / "costs.md"
MANAGED = PROJECT / "docs" / "how-to" / "managed-instances.md"
IN_PROCESS = PROJECT / "docs" / "in-process.md"


def main() -> int:
    """Run the command line, and return its exit status."""
    options = _parser().parse_args()
    try:
        if options.command == "readme":
            _renew_pages()
            return 0
        if options.command == "show":
            found = results.load(options.file)
        elif options.command == "fleet":
            found = fleet.run(options)
            results.save(found, options.json or CACHE / "fleet.jsonl")
        else:
            compile_programs()
            found = results.begin()
            names = MEASUREMENTS if options.command == "all" else [options.command]
            for name in names:
                _measure(name, options, found)
            if options.command == "all" and figures.are_in(found):
                fleet.add(found)
            results.save(found, options.json or CACHE / f"{options.command}.jsonl")
        print(*report.tables(found), sep="\n")
    except (BenchError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(name: str, options: argparse.Namespace, found: Results) -> None:
    """Run one measurement, and add what it finds."""
    defaults = MEASUREMENTS[name].DEFAULTS
    run = Run(
        name,
        [find(each) for each in options.subject or defaults.subjects],
        options.cores or defaults.cores,
        options.rounds or defaults.rounds,
        options.invocations or defaults.invocations,
    )
    MEASUREMENTS[name].measure(run)
    found.series.extend(run.ordered())


def _renew_pages() -> None:
    """Write the tables of the pages that quote results/, and draw their pictures."""
    latest = results.load(LATEST)
    simulated = results.newest(fleet.was_run)
    _renew(BENCHMARKS, report.renew, latest)
    plot.draw(latest, results.KEPT / "invoke.svg")
    _renew(COSTS, pages.renew, simulated)
    pages.draw(simulated, results.KEPT / "fleet.svg")
    _renew(MANAGED, memory.renew, results.newest(memory.has_slots))
    _renew(IN_PROCESS, in_process.renew, results.newest(in_process.was_run))


def _renew(page: Path, renew: Callable[[str, Results], str], found: Results) -> None:
    page.write_text(renew(page.read_text("utf-8"), found), "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in (*MEASUREMENTS, "all"):
        command = commands.add_parser(name)
        command.add_argument("--subject", action="append", help="a name, or a path")
        command.add_argument("--cores", type=int, action="append", choices=[1, 2])
        command.add_argument("--rounds", type=int)
        command.add_argument("--invocations", type=int)
        command.add_argument("--json", type=Path, help="where to write the numbers")
    command = commands.add_parser("fleet", help="simulate what a function costs")
    fleet.add_options(command)
    command.add_argument("--json", type=Path, help="where to write the numbers")
    commands.add_parser("readme", help="renew the pages that quote results/")
    show = commands.add_parser("show", help="print the tables of a run")
    show.add_argument("file", type=Path, nargs="?", default=LATEST)
    return parser


if __name__ == "__main__":
    sys.exit(main())
