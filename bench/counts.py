"""What has no noise: instructions under callgrind, system calls under strace.

What runs of 100 and of 300 invocations differ by is an invocation's; what is left of a
run of one is the start's, from exec to serving. The application runs apart and is not
counted, so that it makes no difference who starts it. Instructions are those of user
space.
"""

import re
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from bench import payloads
from bench.plan import Plan
from bench.results import Series
from bench.session import BrokenRunError, open_session
from bench.stats import slope
from bench.subjects import TRIVIAL, Missing, Subject

NAMES = ["ours", "ours, zipapp", "LWA", "blocking"]
FEW, MANY = 100, 300
PER_INVOCATION, START = "per invocation", "from exec to serving"

Counts = dict[str, float]
"""How often what happened."""


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return the counts of all subjects, with either tool that is here."""
    series = []
    for subject in plan.subjects:
        for tool, count in TOOLS.items():
            advance(f"counts: {subject.name}, {tool}")
            if shutil.which(tool):
                one, few, many = (count(subject, often) for often in (1, FEW, MANY))
                series += _as_series(subject, tool, one, few, many)
    return series


def steps(plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    return len(plan.subjects) * len(TOOLS)


def missing() -> list[Missing]:
    """Return the tools that are not here."""
    return [
        Missing(tool, f"{tool} is not on PATH")
        for tool in TOOLS
        if not shutil.which(tool)
    ]


def _as_series(
    subject: Subject, tool: str, one: Counts, few: Counts, many: Counts
) -> list[Series]:
    """Return each count that is worth a row: an invocation's, and the start's."""
    rows = []
    for name, count in many.items():
        each = slope((FEW, few[name]), (MANY, count))
        start = one[name] - each
        for metric, value in ((PER_INVOCATION, each), (START, start)):
            if name in NAMED or (metric == PER_INVOCATION and value >= 1):
                rows.append(
                    Series(
                        bench="counts",
                        case=name,
                        cores=1,
                        subject=subject.name,
                        metric=metric,
                        unit="M" if tool == "valgrind" else "",
                        rounds=[round(value, 4)],
                    )
                )
    return rows


def _instructions(subject: Subject, invocations: int) -> Counts:
    """Return the million instructions of a run."""
    options = [
        "--tool=callgrind",
        "--callgrind-out-file=callgrind",
        "--trace-children=yes",
    ]
    text = _run(subject, invocations, ["valgrind", *options], "callgrind")
    found = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    if not found:
        raise BrokenRunError(f"no totals in callgrind's file:\n{text[-1000:]}")
    return {INSTRUCTIONS: int(found[1]) / 1e6}


def _system_calls(subject: Subject, invocations: int) -> Counts:
    """Return the system calls of a run, and how many of them were of which kind."""
    options = ["-f", "-c", "-U", "calls,name", "-o", "strace"]
    text = _run(subject, invocations, ["strace", *options], "strace")
    rows = re.findall(r"^ *(\d+) +(\w+)$", text, re.MULTILINE)
    counts: Counts = defaultdict(float, {name: int(count) for count, name in rows})
    return defaultdict(float, {SYSTEM_CALLS: counts.pop("total"), **counts})


def _run(subject: Subject, invocations: int, within: Sequence[str], output: str) -> str:
    """Run a subject within a tool, and return what that wrote.

    A signal that nobody handles ends it, so that no orderly end is counted.
    """
    apart = msgspec.structs.replace(subject, starts_app=False)
    environ = {"PYTHONHASHSEED": "0"}
    with open_session(apart, TRIVIAL, [0], within=within, environ=environ) as session:
        session.run(payloads.USUAL, invocations)
        session.end_adapter(signal.SIGUSR1)
        return (session.directory / output).read_text()


INSTRUCTIONS, SYSTEM_CALLS = "instructions", "system calls"
NAMED = {INSTRUCTIONS, SYSTEM_CALLS}
TOOLS: dict[str, Callable[[Subject, int], Counts]] = {
    "valgrind": _instructions,
    "strace": _system_calls,
}
