"""Memory: of the adapter's process over time, and of all processes for 16 at once.

After 1, 1,000 and 100,000 invocations the adapter's process must hold the same. Sixteen
at once is what Managed Instances bring to a vCPU, and then AWS's runtime client for
Python starts sixteen processes. All sixteen that ask for events have had one before
anything is measured. PSS counts a shared page in part, RSS in each process in full.
"""

from bench.harness.events import http_api, varied
from bench.harness.processes import descendants, pss, rss
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import FAST_API, LOADED, TRIVIAL, Application, Subject

DEFAULTS = Defaults(
    ("ours", "asyncio", "Mangum", "LWA"), invocations=100_000, cores=(2,)
)

LOOKS = (1, 1_000, 100_000)
SLOTS = 16
"""For each vCPU, Lambda's default for Python:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html"""
PER_SLOT = 100
"""Invocations at most for each of them."""


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
        place = f"{application.name}, {SLOTS} at once", cores
        run.add(*place, "PSS", "MB", subject.name, sum(map(pss, processes)))
        run.add(*place, "RSS", "MB", subject.name, sum(map(rss, processes)))
        run.add(*place, "processes", "", subject.name, len(processes))
