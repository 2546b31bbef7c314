"""Counts without noise: user instructions under callgrind, system calls under strace.

The far end is the application as well. It sends nothing before every thread of the
adapter sleeps, so that each run waits at the same places. An invocation costs what a
run of twice as many costs more; the start, from exec to serving, costs what is left
of a run of one. No run sends one of the varied events twice.

An adapter with the application in its process is counted with one that does next to
nothing, and with a framework.
"""

import re
import signal
from collections import defaultdict
from collections.abc import Sequence

from bench.harness.events import SAME, http_api, varied
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import (
    FAST_API,
    FLASK,
    PLAIN,
    PLAIN_WSGI,
    Application,
    BenchError,
    Subject,
    require,
)

DEFAULTS = Defaults(("ours", "native", "blocking", "LWA"), 3, 256, cores=(1,))

TOOLS = {
    "valgrind": "--tool=callgrind --callgrind-out-file=output --trace-children=yes",
    "strace": "-f -c -U calls,name -o output",
}
FRAMEWORKS = FAST_API, FLASK
"""Applications that respond to ``GET /`` alone."""

NAMED = {"instructions", "system calls"}


def measure(run: Run) -> None:
    """Measure the counts of each subject."""
    for tool in TOOLS:
        require(tool)
    for _, subject in run.turns():
        for application in _applications(subject):
            with open_session(subject, application) as session:
                session.run([http_api()], 1)  # compiles the bytecode
            for tool in TOOLS:
                _measure(run, tool, subject, application)


def _applications(subject: Subject) -> list[Application | None]:
    """Return what a subject is counted with; None: the far end is the application."""
    if subject.app != "inside":
        return [None]
    return [FLASK, PLAIN_WSGI] if subject.runs == "wsgi" else [FAST_API, PLAIN]


def _measure(
    run: Run, tool: str, subject: Subject, application: Application | None
) -> None:
    few, many = run.invocations, 2 * run.invocations
    unit = "M" * (tool == "valgrind")
    within = f", {application.name}" if application else ""
    cases = {"same event": [SAME], "varied events": varied(many)}
    if application in FRAMEWORKS:
        cases = {"same event": [http_api()]}
    for metric, events in cases.items():
        fewer = _count(tool, subject, application, events, few)
        more = _count(tool, subject, application, events, many)
        for name, count in more.items():
            each = (count - fewer[name]) / (many - few)
            if name in NAMED or each >= 1:
                run.add(name + within, 1, metric, unit, subject.name, each)
            if name in NAMED and len(events) == 1:
                once = _count(tool, subject, application, events, 1)[name]
                start = "from exec to serving"
                run.add(name + within, 1, start, unit, subject.name, once - each)


def _count(
    tool: str,
    subject: Subject,
    application: Application | None,
    events: Sequence[bytes],
    invocations: int,
) -> dict[str, float]:
    """Return what a run counts: million instructions, or system calls by kind."""
    within = [tool, *TOOLS[tool].split()]
    environ = {"PYTHONHASHSEED": "0"}
    with open_session(
        subject, application, within=within, settles=True, environ=environ
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
