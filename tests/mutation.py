"""What became of the bugs that `make mutation` has planted.

mutmut plants one bug at a time, and runs the tests that reach the function with it.
What mypy finds is not run. A function that no test reaches is counted apart: an adapter
that a test starts is another process, which runs the sources without the bug.
"""

import collections
import json
import sys
from collections.abc import Iterator
from pathlib import Path

MUTANTS = Path("mutants/src/lambda_adapter")
OUTCOMES = {
    **dict.fromkeys([1, 3, -11, -9], "tests"),
    **dict.fromkeys([24, 36, 152, 255], "tests"),  # it ran for too long
    37: "mypy",
    0: "survived",
    **dict.fromkeys([5, 33], "not reached"),
}
"""mutmut's exit codes; without one, a mutant was not run."""

HEADINGS = ("planted", "mypy", "tests", "survived", "not reached", "score")


def main() -> None:
    """Print a row for each folder, and then the name of each bug that survived."""
    outcomes = list(read_outcomes())
    if not outcomes:
        sys.exit("There are no mutants: make mutation")
    print(f"{'folder':10}", *(f"{heading:>12}" for heading in HEADINGS))
    for folder in sorted({folder for folder, _, _ in outcomes}):
        found = [outcome for each, _, outcome in outcomes if each == folder]
        print(f"{folder:10}", *(f"{cell:>12}" for cell in row(found)))
    for _, name, outcome in outcomes:
        if outcome == "survived":
            print(f"mutmut show {name}")


def read_outcomes() -> Iterator[tuple[str, str, str]]:
    """Yield the folder, the name and the outcome of each mutant that was run."""
    for path in sorted(MUTANTS.rglob("*.meta")):
        codes: dict[str, int | None] = json.loads(path.read_bytes())["exit_code_by_key"]
        folder = path.relative_to(MUTANTS).parts[0]
        for name, code in codes.items():
            if code is not None:
                yield folder, name, OUTCOMES.get(code, f"exit code {code}")


def row(outcomes: list[str]) -> list[str]:
    """Return the figures of a folder: the score is of those that mypy does not find."""
    counts = collections.Counter(outcomes)
    run = counts["tests"] + counts["survived"]
    score = f"{counts['tests'] / run:.1%}" if run else "-"
    return [str(len(outcomes)), *(str(counts[each]) for each in HEADINGS[1:-1]), score]


if __name__ == "__main__":
    main()
