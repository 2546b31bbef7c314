"""Applications in Python: in the adapter's process, or behind a server of their own.

Each turn is a cold start, invocations once it is warm, and what all processes then hold
in memory. PSS counts a shared page in part.
"""

from collections.abc import Sequence
from statistics import quantiles

from bench.harness.events import http_api
from bench.harness.processes import descendants, pss
from bench.harness.run import Defaults, Run
from bench.harness.session import Session, open_session
from bench.harness.subjects import FAST_API, FLASK, PLAIN, Application, Subject

DEFAULTS = Defaults(
    (
        *("asyncio", "trio", "trio-asyncio", "thread", "inline", "ours"),
        *("Mangum", "apig-wsgi", "LWA"),
    ),
    rounds=5,
    invocations=1_000,
)

QUANTILES = (50, 99)


def measure(
    run: Run, applications: Sequence[Application] = (PLAIN, FAST_API, FLASK)
) -> None:
    """Measure each subject with each application that it can run."""
    pairs = [
        (subject, application)
        for application in applications
        for subject in run.subjects
        if subject.runs in {"any", application.kind}
    ]
    for subject, application in pairs:
        with open_session(subject, application) as session:
            session.run([http_api()], 1)  # compiles the bytecode
    for cores, subject in run.turns():
        for each, application in pairs:
            if each is subject:
                _measure(run, cores, subject, application)


def _measure(run: Run, cores: int, subject: Subject, application: Application) -> None:
    with open_session(subject, application) as session:
        report, began = session.run([http_api()], 1), _began(session, subject)
        session.run([http_api()], max(run.invocations // 4, 1))
        times = session.run([http_api()], run.invocations).times
        memory = sum(map(pss, descendants(session.pids)))
    percentiles = quantiles(times, n=100, method="inclusive")
    place = application.name, cores
    for q in QUANTILES:
        run.add(*place, f"p{q}", "µs", subject.name, percentiles[q - 1])
    starts = {
        "cold start to /next": report.asked,
        "cold start": report.replied[0],
    }
    for metric, time in starts.items():
        run.add(*place, metric, "ms", subject.name, (time - began) / 1e6)
    run.add(*place, "PSS of all processes", "MB", subject.name, memory)


def _began(session: Session, subject: Subject) -> int:
    return session.launched("app" if subject.app == "beside" else "adapter")
