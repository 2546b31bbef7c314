"""A cold start: from exec to the application's exec, the first ``/next``, the reply.

As on Lambda, the event is there before anything starts.
"""

from bench.harness.events import http_api
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import FAST_API, TRIVIAL, Application, Subject

DEFAULTS = Defaults(("ours", "native", "Mangum", "LWA"), rounds=9)


def measure(run: Run) -> None:
    """Measure the starts of each subject, on one core and on two."""
    for subject in run.subjects:
        _start(subject, FAST_API)  # compiles the bytecode, so that no round has to
    for cores, subject in run.turns():
        for application in TRIVIAL, FAST_API:
            for metric, value in _start(subject, application).items():
                run.add(
                    application.name, cores, metric, "ms", subject.name, value / 1e6
                )


def _start(subject: Subject, application: Application) -> dict[str, int]:
    """Start a subject once, and return the times of its steps in nanoseconds."""
    with open_session(subject, application) as session:
        report = session.run([http_api()], 1)
        # What can't start the application is started just after it.
        began = session.launched("app" if subject.app == "beside" else "adapter")
        times = {
            "to /next": report.asked - began,
            "CPU to /next": report.adapter_cpu,
            "to the reply": report.replied[0] - began,
        }
        if subject.app == "child":
            times["to the application's exec"] = session.launched("app") - began
        return times
