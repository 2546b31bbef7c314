"""A cold start: from exec to the application's exec, the first ``/next``, the reply.

As on Lambda, the event is there before anything starts. A first round, which compiles
the bytecode, is not counted. ``python3 -I -c pass``, from exec to exit, is measured in
the same rounds: no start in Python takes less.
"""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.harness.builds import BIN, native
from bench.harness.events import event_for
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import FAST_API, PEER, TRIVIAL, Application, Subject

DEFAULTS = Defaults(
    subjects=("ours", "ours, zipapp", "LWA", "Mangum", "bare"),
    rounds=9,
    applications=(TRIVIAL, FAST_API),
)

PYTHON = "python3 -I -c pass"
TO_APP = "to the application's exec"


def measure(run: Run) -> None:
    """Measure the starts of each subject, on one core and on two."""
    for number in range(run.rounds + 1):
        for application in run.applications:
            for cores in run.places:
                times = {(PYTHON, TO_APP): _start_python(cores)}
                for subject in run.shuffled(number):
                    run.say(f"{subject.name}, {application.name}")
                    for metric, value in _start(subject, application, cores).items():
                        times[subject.name, metric] = value
                for (name, metric), value in times.items() if number else ():
                    peer = PYTHON if metric == TO_APP else PEER
                    place = application.name, len(cores), name
                    run.add(place, metric, "ms", value / 1e6, peer)


def _start(
    subject: Subject, application: Application, cores: Sequence[int]
) -> dict[str, int]:
    """Start a subject once, and return the times of its steps in nanoseconds."""
    with open_session(subject, application, cores, ready=False) as session:
        event = event_for(subject, application, session.directory)
        report = session.run(event, 1)
        # Whichever starts first: what can't start the application is started beside it.
        whose = {"adapter": bool(subject.command), "app": not subject.has_app}
        began = min(session.launched(who).at for who in whose if whose[who])
        times = {"to the reply": report.replied[0] - began}
        if subject.command:
            times["to /next"] = report.asked - began
            times["CPU to /next"] = report.adapter_cpu
        if subject.starts_app:
            times[TO_APP] = session.launched("app").at - began
        return times


def _start_python(cores: Sequence[int]) -> int:
    with tempfile.TemporaryDirectory() as directory:
        stamp = Path(directory) / "python"
        launch = [str(native("launch")), str(stamp), ",".join(map(str, cores))]
        subprocess.run([*launch, str(BIN / "python"), "-I", "-c", "pass"], check=True)
        return time.monotonic_ns() - int(stamp.read_text().split()[0])
