"""Per invocation: from the event's first byte written to the reply's last byte read.

Every round takes every subject once, in another order, each in fresh processes.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import payloads
from bench.far_end import Report
from bench.plan import Plan
from bench.results import Series
from bench.session import Session, open_session
from bench.stats import quantile
from bench.subjects import TRIVIAL, Application, Subject

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
MICROSECOND = 1e3


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return the quantiles of all subjects, on one core and on two."""
    rounds: dict[tuple[str, int, str, str], list[float]] = defaultdict(list)
    for number in range(plan.rounds):
        for application in plan.applications:
            for cores in plan.cores:
                for subject in shuffled(plan.subjects, number):
                    advance(f"invoke: {subject.name}, {application.name}")
                    for metric, value in _round(plan, subject, application, cores):
                        key = (application.name, len(cores), subject.name, metric)
                        rounds[key].append(value)
    return [
        Series(
            bench="invoke",
            case=case,
            cores=cores,
            subject=subject,
            metric=metric,
            unit="µs",
            rounds=values,
        )
        for (case, cores, subject, metric), values in rounds.items()
    ]


def steps(plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    places = len(plan.applications) * len(plan.cores)
    return plan.rounds * places * len(plan.subjects)


def shuffled(subjects: Sequence[Subject], number: int) -> list[Subject]:
    """Return the subjects in the order of a round; nobody is always the first."""
    dice = random.Random(number)  # noqa: S311 - no secret
    return dice.sample(subjects, len(subjects))


def payload_for(session: Session, application: Application, directory: Path) -> Path:
    """Return the usual event for an application, as the session's far end takes it."""
    event = payloads.USUAL
    if application is not TRIVIAL:
        event = payloads.http_api(directory, "hello")
    if session.subject.direct:
        return payloads.as_request(event, directory)
    return event


def _round(
    plan: Plan, subject: Subject, application: Application, cores: Sequence[int]
) -> list[tuple[str, float]]:
    with open_session(subject, application, cores) as session:
        payload = payload_for(session, application, session.directory)
        session.run(payload, max(plan.invocations // 4, 1))
        report = session.run(payload, plan.invocations)
    return quantiles(report)


def quantiles(report: Report) -> list[tuple[str, float]]:
    """Return the quantiles of a report in microseconds, and that of the turn-around."""
    times = [
        (replied - sent) / MICROSECOND
        for sent, replied in zip(report.sent, report.replied, strict=True)
    ]
    values = [(name, quantile(times, q)) for name, q in QUANTILES.items()]
    if report.turnarounds:
        turnaround = quantile(report.turnarounds, 0.5) / MICROSECOND
        values.append(("turn-around p50", turnaround))
    return values
