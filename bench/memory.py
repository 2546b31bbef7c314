"""Memory: of the adapter's process over time, and of all processes for 16 at once.

After 1, 1,000 and 100,000 invocations the adapter's process must hold the same. Sixteen
at once is what Managed Instances bring to a vCPU, and then AWS's runtime client for
Python starts sixteen processes. All sixteen that ask for events have had one before
anything is measured. PSS counts a shared page in part, RSS in each process in full.
"""

from collections.abc import Iterator
from statistics import median

from bench.harness import report
from bench.harness.events import http_api, varied
from bench.harness.processes import descendants, pss, rss
from bench.harness.results import Results
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import FAST_API, LOADED, TRIVIAL, Application, Subject

DEFAULTS = Defaults(("native", "asyncio", "Mangum", "LWA"), 3, 100_000, cores=(2,))

LOOKS = (1, 1_000, 100_000)
SLOTS = 16
"""For each vCPU, Lambda's default for Python:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html"""
PER_SLOT = 100
"""Invocations at most for each of them."""
CASE = f", {SLOTS} at once"

MARK = "<!-- `python -m bench readme` writes this table -->"
NAMES = {
    "asyncio": "this adapter, the application in its process",
    "native": "this adapter and uvicorn",
    "LWA": "LWA and uvicorn",
    "Mangum": "Mangum on AWS's runtime client",
}
"""What the page calls the subjects."""


def measure(run: Run) -> None:
    """Measure both for each subject; over time, not where the application is inside."""
    for cores, subject in run.turns():
        if subject.app != "inside":
            _measure_over_time(run, cores, subject)
        for application in FAST_API, LOADED:
            _measure_slots(run, cores, subject, application)


def _measure_over_time(run: Run, cores: int, subject: Subject) -> None:
    events = varied()
    with open_session(subject, TRIVIAL) as session:
        done = 0
        for look in sorted({min(look, run.invocations) for look in LOOKS}):
            session.run(events, look - done)
            done = look
            case = f"after {look:,} invocations"
            run.add(case, cores, "PSS", "MB", subject.name, pss(session.pid))


def _measure_slots(
    run: Run, cores: int, subject: Subject, application: Application
) -> None:
    environ = {"AWS_LAMBDA_MAX_CONCURRENCY": str(SLOTS)}
    with open_session(subject, application, environ=environ) as session:
        invocations = SLOTS * min(run.invocations, PER_SLOT)
        session.run([http_api()], invocations, asking=SLOTS)
        processes = list(descendants(session.pids))
        place = application.name + CASE, cores
        run.add(*place, "PSS", "MB", subject.name, sum(map(pss, processes)))
        run.add(*place, "RSS", "MB", subject.name, sum(map(rss, processes)))
        run.add(*place, "processes", "", subject.name, len(processes))


def has_slots(found: Results) -> bool:
    """Tell whether a run has what 16 at once take."""
    return any(each.bench == "memory" and CASE in each.case for each in found.series)


def renew(page: str, found: Results) -> str:
    """Return docs/how-to/managed-instances.md with the table of a run."""
    return report.replace_table(page, MARK, _rows(found))


def _rows(found: Results) -> Iterator[str]:
    rounds = {
        (each.case, each.metric, each.subject): each.rounds for each in found.series
    }
    yield "| | Processes | PSS | PSS with 50 MB of data | RSS | RSS with the data |"
    yield "|---|---|---|---|---|---|"
    plain, loaded = (each.name + CASE for each in (FAST_API, LOADED))
    for subject, name in NAMES.items():
        cells = [f"{rounds[plain, 'processes', subject][0]:.0f}"]
        for metric in "PSS", "RSS":
            cells += [
                f"{median(rounds[case, metric, subject]):,.0f} MB"
                for case in (plain, loaded)
            ]
        yield f"| {name} | {' | '.join(cells)} |"
