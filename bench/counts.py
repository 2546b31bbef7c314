"""Counts without noise: user instructions under callgrind, system calls under strace.

The far end (harness/runtime_api.py) is the application as well. It sends nothing before
every thread of the adapter sleeps, so that each run waits at the same places. What runs
of 100 and of 300 invocations differ by is the cost of an invocation; what is left of a
run of one is the cost of the start, from exec to serving.
"""

import re
import shutil
import signal
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from bench.harness.events import USUAL
from bench.harness.run import Defaults, Run
from bench.harness.session import BrokenRunError, open_session
from bench.harness.stats import slope
from bench.harness.subjects import Missing, Subject

DEFAULTS = Defaults(subjects=("ours", "ours, zipapp", "LWA", "blocking"), cores=(1,))

FEW, MANY = 100, 300
TOOLS = {
    "valgrind": "--tool=callgrind --callgrind-out-file=output --trace-children=yes",
    "strace": "-f -c -U calls,name -o output",
}
NAMED = {"instructions", "system calls"}


def measure(run: Run) -> None:
    """Measure the counts of each subject, with either tool that is here."""
    for tool in TOOLS:
        if not shutil.which(tool):
            run.missing.append(Missing(tool, f"{tool} is not on PATH"))
            continue
        for subject in run.subjects:
            run.say(f"{subject.name}, {tool}")
            one, few, many = (
                _count(tool, subject, run.places[0], times) for times in (1, FEW, MANY)
            )
            for name in many:
                each = slope((FEW, few[name]), (MANY, many[name]))
                place, unit = (name, 1, subject.name), "M" * (tool == "valgrind")
                if name in NAMED or each >= 1:
                    run.add(place, "per invocation", unit, round(each, 4))
                if name in NAMED:
                    start = round(one[name] - each, 4)
                    run.add(place, "from exec to serving", unit, start)


def _count(
    tool: str, subject: Subject, cores: Sequence[int], invocations: int
) -> dict[str, float]:
    """Return what a run counts: million instructions, or system calls by kind."""
    subject = msgspec.structs.replace(subject, starts_app=False)
    with open_session(
        subject,
        None,
        cores,
        within=[tool, *TOOLS[tool].split()],
        environ={"PYTHONHASHSEED": "0"},
    ) as session:
        session.run(USUAL, invocations)
        # A signal that is not handled, so that no orderly shutdown is counted.
        session.end_adapter(signal.SIGUSR1)
        output = (session.directory / "output").read_text()
    counted: dict[str, float] = defaultdict(float)
    if tool == "strace":
        for count, name in re.findall(r"^ *(\d+) +(\w+)$", output, re.MULTILINE):
            counted["system calls" if name == "total" else name] = int(count)
    elif found := re.search(r"^(?:totals|summary): (\d+)", output, re.MULTILINE):
        counted["instructions"] = int(found[1]) / 1e6
    if not counted:
        raise BrokenRunError(f"no counts in the output of {tool}:\n{output[-1000:]}")
    return counted
