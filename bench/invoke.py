"""One invocation: from the event's first byte written to the reply's last byte read.

The turn-around is the time from Lambda's 202 to the adapter's next ``/next``. The event
is ``usual.json``, for FastAPI a GET. In each round each subject runs in new processes,
after a warm-up.
"""

from bench.harness.events import event_for
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.stats import quantile
from bench.harness.subjects import SUBJECTS

DEFAULTS = Defaults(subjects=tuple(SUBJECTS), rounds=7, invocations=1_000)

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def measure(run: Run) -> None:
    """Measure the quantiles of each subject, on one core and on two."""
    for number in range(run.rounds):
        for application in run.applications:
            for cores in run.places:
                for subject in run.shuffled(number):
                    run.say(f"{subject.name}, {application.name}")
                    with open_session(subject, application, cores) as session:
                        event = event_for(subject, application, session.directory)
                        session.run(event, max(run.invocations // 4, 1))
                        report = session.run(event, run.invocations)
                    place = application.name, len(cores), subject.name
                    for metric, q in QUANTILES.items():
                        run.add(place, metric, "µs", quantile(report.times, q))
                    if report.turnarounds:
                        turnaround = quantile(report.turnarounds, 0.5) / 1e3
                        run.add(place, "turn-around p50", "µs", turnaround)
