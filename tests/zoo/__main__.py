"""``python -m tests.zoo [--quick] [NAME...]``: check the zoo, and print a table."""

import argparse
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import trio

from tests.zoo.run import AT_ONCE, Outcome, check_all
from tests.zoo.specimens import DEFECTIVE, HEALTHY


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--table", action="store_true", help="renew the page's table")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    all_ = [*DEFECTIVE, *HEALTHY]
    chosen = [each for each in all_ if not options.names or each.name in options.names]
    there = [each for each in chosen if each.is_here]
    if options.table and there != all_:
        left = ", ".join(each.name for each in all_ if each not in there)
        parser.error(f"a table is of one run of all applications, also of {left}")

    def told(outcome: Outcome) -> None:
        mark = "ok  " if outcome.good else "MISS"
        wanted = "|".join(outcome.specimen.kinds) or "healthy"
        print(
            f"{mark} {outcome.specimen.name:<24} {wanted:<16} first {outcome.first:<16}"
            f" {outcome.failures} failures {outcome.warnings} warnings"
            f" {outcome.seconds:.1f} s {outcome.error}",
            flush=True,
        )
        if options.verbose or not outcome.good:
            for finding in outcome.result.ordered:
                if finding.status != "pass" or options.verbose:
                    said = f"{finding.kind}: {finding.title} | {finding.seen}"
                    print(f"       {finding.status} {said}")
            if options.verbose:
                print(*outcome.result.log, sep="\n       ")

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = trio.run(
            lambda: check_all(
                there,
                Path(folder),
                quick=options.quick,
                told=told,
                at_once=options.at_once,
            )
        )
    good = sum(each.good for each in outcomes)
    print(f"{good} of {len(outcomes)} in {time.monotonic() - began:.0f} s")
    if options.table:
        renew(outcomes, quick=options.quick)
    return 0 if good == len(outcomes) else 1


MARK = "<!-- `python -m tests.zoo --quick --table` writes this table -->"
PAGE = Path(__file__).parents[2] / "docs/local-check.md"


def renew(outcomes: list[Outcome], *, quick: bool) -> None:
    """Write the table of found and missed into the page, and when they were checked."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.specimen.kinds or ("healthy",))[0], []).append(
            outcome
        )
    rows = [
        "| Kind | Found, or left alone | Missed, or a false alarm |",
        "|---|---|---|",
    ]
    for kind, those in found.items():
        good = ", ".join(each.specimen.name for each in those if each.good)
        bad = ", ".join(each.specimen.name for each in those if not each.good)
        rows.append(f"| `{kind}` | {good} | {bad} |")
    count = sum(each.good for each in outcomes)
    rows.append(f"| all | {count} of {len(outcomes)} | |")
    kind = "quick" if quick else "long"
    rows += ["", f"One run of the {kind} check, on {date.today():%-d %B %Y}."]
    text = PAGE.read_text()
    before, _, after = text.partition(MARK)
    rest = after[after.index("\n## ") :]
    PAGE.write_text(before + MARK + "\n" + "\n".join(rows) + "\n" + rest)


if __name__ == "__main__":
    sys.exit(main())
