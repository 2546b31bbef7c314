"""``python -m bench``: measure, print tables, keep the numbers, draw them."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from bench import builds, counts, plot, report, results
from bench.builds import CACHE, MissingError
from bench.plan import Plan, cores_of
from bench.results import Results
from bench.session import BrokenRunError
from bench.subjects import APPLICATIONS, SUBJECTS, Missing, find
from bench.suite import BENCHMARKS, QUICK, Benchmark


def main() -> int:
    """Run the command line, and return its exit status."""
    options = _parser().parse_args()
    if options.command == "plot":
        for picture in plot.draw(results.load(options.results), options.output):
            print(picture)
        return 0
    try:
        for name in ("launch", "app"):
            builds.native(name)
        found = run(options)
    except (BrokenRunError, MissingError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    results.save(found, options.json or CACHE / f"{options.command}.json")
    if options.quick:
        print(report.in_a_line(found))
    else:
        console = Console()
        console.width = max(console.width, report.WIDTH)
        report.show(found, console)
    return 0


def run(options: argparse.Namespace) -> Results:
    """Run one benchmark, or all."""
    found = results.begin()
    chosen = BENCHMARKS if options.command == "all" else {options.command: None}
    with Progress(console=Console(stderr=True)) as progress:
        for name in chosen:
            benchmark = QUICK if options.quick else BENCHMARKS[name]
            plan, missing = _plan(benchmark, options)
            found.missing.extend(each for each in missing if each not in found.missing)
            if name == "counts":
                found.missing.extend(counts.missing())
            task = progress.add_task(name, total=benchmark.steps(plan))

            def advance(what: str, task: TaskID = task) -> None:
                progress.update(task, description=what, advance=1)

            found.series.extend(benchmark.measure(plan, advance))
            progress.update(task, description=name)
    return found


def _plan(
    benchmark: Benchmark, options: argparse.Namespace
) -> tuple[Plan, list[Missing]]:
    wanted = options.subject or benchmark.subjects
    names = [name for name in benchmark.subjects if name in wanted]
    subjects, missing = find(names, options.peer)
    if options.command != "all":
        absent = [name for name in wanted if name not in benchmark.subjects]
        missing += [Missing(name, "no subject of this benchmark") for name in absent]
    plan = Plan(
        subjects,
        [APPLICATIONS[name] for name in options.app or ()] or [*benchmark.applications],
        cores_of(options.cores or [*benchmark.cores]),
        options.rounds or benchmark.rounds,
        options.invocations or benchmark.invocations,
    )
    return plan, missing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in (*BENCHMARKS, "all"):
        command = commands.add_parser(name)
        command.add_argument("--subject", action="append", choices=SUBJECTS)
        command.add_argument("--app", action="append", choices=APPLICATIONS)
        command.add_argument("--cores", type=int, action="append", choices=[1, 2])
        command.add_argument("--rounds", type=int)
        command.add_argument("--invocations", type=int)
        command.add_argument("--peer", help="a Lambda Web Adapter that is built")
        command.add_argument("--json", type=Path, help="where to keep the numbers")
        command.set_defaults(quick=False)
        if name == "invoke":
            command.add_argument("--quick", action="store_true", help="one line")
    command = commands.add_parser("plot")
    command.add_argument("results", type=Path, nargs="?", default=CACHE / "all.json")
    command.add_argument("--output", type=Path, default=CACHE)
    return parser


if __name__ == "__main__":
    sys.exit(main())
