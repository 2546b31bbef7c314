"""One invocation: from the event's first byte written to the reply's last byte read.

The turn-around is the time from Lambda's 202 to the adapter's next ``/next``. Both are
measured with one event that is sent again and again, and with events that differ. In
each round each subject runs in new processes, after a warm-up.
"""

from statistics import median, quantiles

from bench.harness.events import SAME, varied
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import TRIVIAL

DEFAULTS = Defaults(
    ("native", "blocking", "Mangum", "LWA"), rounds=7, invocations=1_000
)

QUANTILES = (50, 90, 99)


def measure(run: Run) -> None:
    """Measure the quantiles of each subject, on one core and on two."""
    cases = {"same event": [SAME], "varied events": varied()}
    for cores, subject in run.turns():
        with open_session(subject, TRIVIAL) as session:
            for case, events in cases.items():
                session.run(events, max(run.invocations // 4, 1))
                report = session.run(events, run.invocations)
                place = case, cores
                percentiles = quantiles(report.times, n=100, method="inclusive")
                for q in QUANTILES:
                    run.add(*place, f"p{q}", "µs", subject.name, percentiles[q - 1])
                turnaround = median(report.turnarounds) / 1e3
                run.add(*place, "turn-around p50", "µs", subject.name, turnaround)
