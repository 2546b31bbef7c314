"""From exec to the application's exec, to the first ``/next``, to the first reply.

The event is there before anything is started, as on Lambda. Bytecode is compiled by a
round that is not counted.
"""

import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import builds
from bench.builds import BIN
from bench.invoke import payload_for, shuffled
from bench.plan import Plan
from bench.results import Series
from bench.session import Session, open_session
from bench.subjects import Application, Subject

MILLISECOND = 1e6
NAMES = ["ours", "ours, zipapp", "LWA", "Mangum", "bare"]
"""The subjects that can start on their own."""

PYTHON = "python3 -I -c pass"
"""A subject of its own: what any start of Python takes, from exec to exit."""

TO_APP = "to the application's exec"


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return how long the starts of all subjects took."""
    rounds: dict[tuple[str, int, str, str], list[float]] = defaultdict(list)
    for number in range(plan.rounds + 1):
        for application in plan.applications:
            for cores in plan.cores:
                place = application.name, len(cores)
                for subject in shuffled(plan.subjects, number):
                    advance(f"cold start: {subject.name}, {application.name}")
                    for metric, value in _round(subject, application, cores):
                        rounds[*place, subject.name, metric].append(value)
                rounds[*place, PYTHON, TO_APP].append(_start_python(cores))
    return [
        Series(
            bench="cold-start",
            case=case,
            cores=cores,
            subject=subject,
            metric=metric,
            unit="ms",
            rounds=values[1:],
            **({"peer": PYTHON} if metric == TO_APP else {}),
        )
        for (case, cores, subject, metric), values in rounds.items()
    ]


def steps(plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    places = len(plan.applications) * len(plan.cores)
    return (plan.rounds + 1) * places * len(plan.subjects)


def _round(
    subject: Subject, application: Application, cores: Sequence[int]
) -> list[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as directory:
        return [
            (metric, value / MILLISECOND)
            for metric, value in _start(subject, application, cores, Path(directory))
        ]


def _start(
    subject: Subject, application: Application, cores: Sequence[int], directory: Path
) -> Iterator[tuple[str, float]]:
    with open_session(subject, application, cores, ready=False) as session:
        report = session.run(payload_for(session, application, directory), 1)
        began = min(session.launched(who).at for who in _launched(session))
        if not subject.direct:
            yield "to /next", report.asked - began
            yield "CPU to /next", report.adapter_cpu
        yield "to the reply", report.replied[0] - began
        if subject.starts_app:
            yield TO_APP, session.launched("app").at - began


def _launched(session: Session) -> list[str]:
    subject = session.subject
    whose = {"adapter": bool(subject.command), "app": not subject.has_app}
    return [who for who, there in whose.items() if there]


def _start_python(cores: Sequence[int]) -> float:
    with tempfile.TemporaryDirectory() as directory:
        stamp = Path(directory) / "python"
        launch = [str(builds.native("launch")), str(stamp), ",".join(map(str, cores))]
        subprocess.run([*launch, str(BIN / "python"), "-I", "-c", "pass"], check=True)
        now = time.monotonic_ns()
        return (now - int(stamp.read_text().split()[0])) / MILLISECOND
