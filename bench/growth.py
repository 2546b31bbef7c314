"""What an invocation costs as it grows: bodies, fields, queries, concurrency.

In a round, all subjects are up at the same time and take turns, case by case.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.harness.events import USUAL, binary, http_api, text
from bench.harness.run import Defaults, Run
from bench.harness.session import Session, open_session
from bench.harness.stats import quantile
from bench.harness.subjects import TRIVIAL

DEFAULTS = Defaults(subjects=("ours", "LWA"), rounds=5, invocations=200, cores=(2,))

SIZES = {
    "0 B": 0,
    "1 KB": 1_000,
    "100 KB": 100_000,
    "1 MB": 1_000_000,
    "4.5 MB": 4_500_000,
}
FIELDS = (5, 10, 25, 50, 100)
QUERIES = (0, 100, 1_000, 4_000)
CONCURRENCIES = (1, 8, 64)
WAIT = 20
"""Milliseconds that the application waits in the cases of concurrency."""

BYTES_PER_ROUND = 40_000_000
"""Bytes of bodies after which a case has been invoked often enough."""


class Case(msgspec.Struct, frozen=True):
    """One point of a curve: an event, and the bytes of bodies that it moves."""

    name: str
    event: Path
    size: int = 0


def measure(run: Run) -> None:
    """Measure the median of each case, and throughput and p99 by concurrency."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        cases = list(_cases(directory))
        waiting = http_api(directory, "wait", target=f"/wait/{WAIT}")
        for number in range(run.rounds):
            for cores in run.places:
                _measure_cases(run, number, cores, cases)
                _measure_concurrency(run, number, cores, waiting)


def _cases(directory: Path) -> Iterator[Case]:
    for label, size in SIZES.items():
        for kind, path, body in ("text", "text", text), ("binary", "bytes", binary):
            into, out = f"{label} {kind} in", f"{label} {kind} out"
            is_binary = kind == "binary"
            yield Case(
                into,
                http_api(directory, into, "/sink", body(size), is_binary=is_binary),
                size,
            )
            yield Case(out, http_api(directory, out, f"/{path}/{size}"), size)
    name, size = "4.5 MB binary in and out", SIZES["4.5 MB"]
    event = http_api(directory, name, "/echo", binary(size), is_binary=True)
    yield Case(name, event, 2 * size)
    for count in FIELDS:
        name = f"{count} fields"
        yield Case(name, http_api(directory, name, fields=count))
    for length in QUERIES:
        name, query = f"query of {length} B", ("name=value&" * length)[:length]
        yield Case(name, http_api(directory, name, f"/?{query}"))


def _measure_cases(
    run: Run, number: int, cores: Sequence[int], cases: Sequence[Case]
) -> None:
    with contextlib.ExitStack() as stack:
        sessions = [
            stack.enter_context(open_session(subject, TRIVIAL, cores))
            for subject in run.shuffled(number)
        ]
        for session in sessions:
            session.run(USUAL, run.invocations)
        for case in cases:
            run.say(f"{case.name}")
            for session in sessions:
                place = case.name, len(cores), session.subject.name
                run.add(place, "p50", "µs", _median(session, case, run.invocations))


def _median(session: Session, case: Case, invocations: int) -> float:
    """Return the median in microseconds; large bodies are sent less often."""
    affordable = BYTES_PER_ROUND // (case.size + 1)
    count = max(min(invocations, affordable), 5)
    session.run(case.event, max(count // 4, 2))
    return quantile(session.run(case.event, count).times, 0.5)


def _measure_concurrency(
    run: Run, number: int, cores: Sequence[int], event: Path
) -> None:
    for concurrency in CONCURRENCIES:
        count = max(run.invocations // 4, 1) * min(concurrency, 16)
        environ = {"AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency)}
        for subject in run.shuffled(number):
            run.say(f"{concurrency} at once, {subject.name}")
            with open_session(subject, TRIVIAL, cores, environ=environ) as session:
                session.run(event, concurrency * 2)
                report = session.run(event, count)
            place = f"{concurrency} at once, {WAIT} ms each", len(cores), subject.name
            span = (max(report.replied) - min(report.sent)) / 1e9
            run.add(place, "throughput", "/s", count / span)
            run.add(place, "p99", "µs", quantile(report.times, 0.99))
