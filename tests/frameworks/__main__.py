"""The frameworks' own test suites, with the adapter in between: `make frameworks`.

Each runs twice in its own environment: as it is, and with each request of its test
client going the whole way in the test's process (``plugin``): gateway, event, invoke
loop, transport, application, reply, gateway. A test whose outcome differs has to be in
differences.toml, with the reason. WHAT="flask werkzeug" runs only some.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.frameworks.fetch import CACHE, fetch, python_of, version_of
from tests.frameworks.suites import SUITES, Suite

HERE = Path(__file__).parent
PATHS = (HERE.parent.parent / "src", HERE / "plugin")
TIME_LIMIT = 1800

KINDS = ("gateway", "application", "harness")
"""What a difference may be due to: a gateway's documented limit, an application that is
not valid, or this harness."""


class Run(NamedTuple):
    """The outcome of each test of a suite, and how many requests were in between."""

    outcomes: Mapping[str, str]
    requests: int


class Row(NamedTuple):
    """What the table says of a suite."""

    suite: str
    version: str
    tests: int
    requests: int
    reasons: Mapping[str, int]
    wrong: int


def main(names: list[str]) -> int:
    """Run the suites, and return 1 if a difference is not explained, or gone."""
    reasons = tomllib.loads((HERE / "differences.toml").read_text())
    rows = [
        compare(suite, explained(reasons.get(suite.name, {})))
        for suite in SUITES
        if not names or suite.name in names
    ]
    print("\n".join(table(rows)))
    return 1 if any(row.wrong for row in rows) or not rows else 0


def explained(reasons: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the reason of each test.

    Raises:
        ValueError: a reason is of no kind.
    """
    for reason in reasons:
        if not reason.startswith(tuple(f"{kind}: " for kind in KINDS)):
            raise ValueError(f"whose doing is {reason!r}?")
    return {test: reason for reason, tests in reasons.items() for test in tests}


def compare(suite: Suite, reasons: Mapping[str, str]) -> Row:
    """Run a suite both ways, and print each difference."""
    folder = fetch(suite)
    directly, through = run(suite, folder, ""), run(suite, folder, suite.client)
    if directly.outcomes.keys() != through.outcomes.keys() or not through.requests:
        raise SystemExit(f"{suite.name}: not the same tests, or no request in them")
    different = {
        test: f"{outcome}, and then {through.outcomes[test]}"
        for test, outcome in directly.outcomes.items()
        if outcome != through.outcomes[test]
    }
    wrong = different.keys() ^ reasons.keys()
    print(f"{suite.name}: {len(directly.outcomes)} tests, {len(different)} differences")
    for test in sorted(wrong):
        print(f"  {test}: {different.get(test, 'NO DIFFERENCE ANY MORE')}")
    counts = Counter(reasons[test] for test in sorted(different) if test in reasons)
    version = version_of(suite)
    tests, requests = len(directly.outcomes), through.requests
    return Row(suite.name, version, tests, requests, counts, len(wrong))


def run(suite: Suite, folder: Path, client: str) -> Run:
    """Run a suite, with the adapter behind its test client if that is named.

    Raises:
        SystemExit: it can't be run.
    """
    found = CACHE / f"{suite.name}-{client or 'directly'}.json"
    found.unlink(missing_ok=True)
    log = found.with_suffix(".log")
    command = (str(python_of(suite)), "-m", *suite.runner)
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
        "OUTCOMES": str(found),
        "BETWEEN": client,
    }
    with log.open("w") as output:
        done = subprocess.run(
            [*command, *suite.options, *suite.tests],
            cwd=folder / suite.folder,
            env=environ,
            stdout=output,
            stderr=output,
            timeout=TIME_LIMIT,
            check=False,
        )
    if done.returncode not in {0, 1} or not found.exists():
        raise SystemExit(f"the tests of {suite.name} can't be run: see {log}")
    return Run(**json.loads(found.read_text()))


def table(rows: list[Row]) -> list[str]:
    """Return the table that docs/in-process.md has."""
    lines = ["| Suite | Tests | Requests | Differences |", "|---|---|---|---|"]
    for row in rows:
        kinds = Counter[str]()
        for reason, count in row.reasons.items():
            kinds[reason.partition(":")[0]] += count
        said = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
        lines.append(
            f"| {row.suite} {row.version} | {row.tests:,} | {row.requests:,}"
            f" | {said or 'none'} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main(os.environ.get("WHAT", "").split()))
