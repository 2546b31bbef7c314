"""Applications in Python: in the adapter's process, or behind a server of their own.

Each turn is a cold start, invocations once it is warm, and what all processes then hold
in memory. PSS counts a shared page in part.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median, quantiles

from bench.harness import report
from bench.harness.events import http_api
from bench.harness.processes import descendants, pss
from bench.harness.results import Results
from bench.harness.run import Defaults, Run
from bench.harness.session import Session, open_session
from bench.harness.subjects import FAST_API, FLASK, PEER, PLAIN, Application, Subject

DEFAULTS = Defaults(
    (
        *("asyncio", "trio", "trio-asyncio", "thread", "inline", "native"),
        *("Mangum", "apig-wsgi", "LWA"),
    ),
    rounds=5,
    invocations=1_000,
)

QUANTILES = (50, 99)

MARK = "<!-- `python -m bench readme` writes this table -->"
NAMES = {
    "asyncio": "`asyncio`",
    "trio": "`trio`",
    "trio-asyncio": "`trio-asyncio`",
    "thread": "`--wsgi`",
    "inline": "`--wsgi` with `AWS_LWA_WSGI_INLINE=true`",
    "Mangum": "Mangum",
    "apig-wsgi": "apig-wsgi",
    "native": "this adapter and the server",
    "LWA": "LWA and the server",
}
"""What docs/in-process.md calls the subjects."""


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
        first, began = session.run([http_api()], 1), _began(session, subject)
        session.run([http_api()], max(run.invocations // 4, 1))
        times = session.run([http_api()], run.invocations).times
        memory = sum(map(pss, descendants(session.pids)))
    percentiles = quantiles(times, n=100, method="inclusive")
    place = application.name, cores
    for q in QUANTILES:
        run.add(*place, f"p{q}", "µs", subject.name, percentiles[q - 1])
    starts = {
        "cold start to /next": first.asked,
        "cold start": first.replied[0],
    }
    for metric, time in starts.items():
        run.add(*place, metric, "ms", subject.name, (time - began) / 1e6)
    run.add(*place, "PSS of all processes", "MB", subject.name, memory)


def _began(session: Session, subject: Subject) -> int:
    return session.launched("app" if subject.app == "beside" else "adapter")


def was_run(found: Results) -> bool:
    """Return whether a run has what docs/in-process.md quotes."""
    return any(each.bench == "in-process" for each in found.series)


def renew(page: str, found: Results) -> str:
    """Return docs/in-process.md with the table of a run."""
    return report.replace_table(page, MARK, _rows(found))


def _rows(found: Results) -> Iterator[str]:
    """Return a row for each subject: ratios to LWA on one core and on two, and MB."""
    rounds = {
        (each.case, each.metric, each.cores, each.subject): each.rounds
        for each in found.series
        if each.bench == "in-process"
    }
    cases = [each.name for each in (PLAIN, FAST_API, FLASK)]
    columns = [(case, metric) for metric in ("p50", "cold start") for case in cases]
    starts = " | ".join(f"Cold: {case}" for case in cases)
    yield f"| | {' | '.join(cases)} | {starts} | Memory: FastAPI, Flask |"
    yield "|---|" + "---|" * (len(columns) + 1)
    for subject, name in NAMES.items():
        cells = [", ".join(_ratios(rounds, *each, subject)) for each in columns]
        memory = ", ".join(
            f"{median(own):.0f} MB"
            for case in cases[1:]
            if (own := rounds.get((case, "PSS of all processes", 1, subject)))
        )
        yield f"| {name} | {' | '.join(cells)} | {memory} |"


def _ratios(
    rounds: Mapping[tuple[str, str, int, str], list[float]],
    case: str,
    metric: str,
    subject: str,
) -> Iterator[str]:
    for cores in (1, 2):
        if own := rounds.get((case, metric, cores, subject)):
            peer = rounds[case, metric, cores, PEER]
            yield f"{median(report.ratios(own, peer)):.2f}"
