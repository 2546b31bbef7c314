"""Counts without noise: user instructions under callgrind, system calls under strace.

The far end is the application as well. It sends nothing before every thread of the
adapter sleeps, so that each run waits at the same places. An invocation costs what a
run of twice as many costs more; the start, from exec to serving, costs what is left
of a run of one. No run sends one of the varied events twice.
"""

import re
import signal
from collections import defaultdict
from collections.abc import Sequence

from bench.harness.events import SAME, varied
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import BenchError, Subject, require

DEFAULTS = Defaults(("ours", "blocking", "LWA"), 3, 256, cores=(1,))

TOOLS = {
    "valgrind": "--tool=callgrind --callgrind-out-file=output --trace-children=yes",
    "strace": "-f -c -U calls,name -o output",
}
NAMED = {"instructions", "system calls"}


def measure(run: Run) -> None:
    """Measure the counts of each subject."""
    for tool in TOOLS:
        require(tool)
    for _, subject in run.turns():
        with open_session(subject, None) as session:
            session.run([SAME], 1)  # compiles the bytecode, so that no count has to
        for tool in TOOLS:
            _measure(run, tool, subject)


def _measure(run: Run, tool: str, subject: Subject) -> None:
    few, many = run.invocations, 2 * run.invocations
    unit = "M" * (tool == "valgrind")
    for metric, events in {"same event": [SAME], "varied events": varied(many)}.items():
        fewer = _count(tool, subject, events, few)
        more = _count(tool, subject, events, many)
        for name, count in more.items():
            each = (count - fewer[name]) / (many - few)
            if name in NAMED or each >= 1:
                run.add(name, 1, metric, unit, subject.name, each)
            if name in NAMED and events == [SAME]:
                start = _count(tool, subject, events, 1)[name] - each
                run.add(name, 1, "from exec to serving", unit, subject.name, start)


def _count(
    tool: str,
    subject: Subject,
    events: Sequence[bytes],
    invocations: int,
) -> dict[str, float]:
    """Return what a run counts: million instructions, or system calls by kind."""
    within = [tool, *TOOLS[tool].split()]
    with open_session(
        subject, None, within=within, environ={"PYTHONHASHSEED": "0"}
    ) as session:
        session.run(events, invocations)
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
        raise BenchError(f"no counts in the output of {tool}:\n{output[-1000:]}")
    return counted
