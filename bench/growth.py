"""What an invocation costs as it grows: bodies, fields, queries, concurrency.

All subjects of a round are up at the same time and take turns, case by case.
"""

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from bench import payloads
from bench.far_end import Report
from bench.invoke import MICROSECOND, shuffled
from bench.plan import Plan
from bench.results import Series
from bench.session import Session, open_session
from bench.stats import quantile
from bench.subjects import PEER, TRIVIAL

NAMES = ["ours", PEER]
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
"""Milliseconds for which the application waits in the cases of concurrency."""

BYTES_A_ROUND = 40_000_000
"""Bytes of bodies after which a case has been invoked often enough."""

Rounds = dict[tuple[str, int, str, str, str], list[float]]
"""Values by case, cores, subject, metric and unit."""


class Case(msgspec.Struct, frozen=True):
    """One point of a curve."""

    name: str
    payload: Path
    size: int = 0
    """Bytes of bodies that it moves."""


def cases(directory: Path) -> Iterator[Case]:
    """Write the events of all curves but concurrency's."""
    for label, size in SIZES.items():
        for kind, body in (("text", payloads.text), ("binary", payloads.binary)):
            is_binary = kind == "binary"
            path = "bytes" if is_binary else "text"
            name = f"{label} {kind}"
            yield _case(
                *(directory, f"{name} in", size),
                target="/sink",
                body=body(size),
                binary=is_binary,
            )
            yield _case(directory, f"{name} out", size, target=f"/{path}/{size}")
    yield _case(
        *(directory, "4.5 MB binary in and out", 2 * SIZES["4.5 MB"]),
        target="/echo",
        body=payloads.binary(SIZES["4.5 MB"]),
        binary=True,
    )
    for count in FIELDS:
        yield _case(directory, f"{count} fields", fields=count)
    for length in QUERIES:
        query = ("name=value&" * length)[:length]
        yield _case(directory, f"query of {length} B", target=f"/?{query}")


def _case(
    directory: Path,
    name: str,
    size: int = 0,
    *,
    target: str = "/",
    body: bytes | None = None,
    binary: bool = False,
    fields: int = 10,
) -> Case:
    payload = payloads.http_api(
        directory, name, target=target, body=body, binary=binary, fields=fields
    )
    return Case(name, payload, size)


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return the medians of all cases."""
    rounds: Rounds = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        curve = list(cases(directory))
        waiting = payloads.http_api(directory, "wait", target=f"/wait/{WAIT}")
        for number in range(plan.rounds):
            for cores in plan.cores:
                _measure_cases(plan, number, cores, curve, rounds, advance)
                _measure_concurrency(plan, number, cores, waiting, rounds, advance)
    return [
        Series(
            bench="growth",
            case=case,
            cores=count,
            subject=subject,
            metric=metric,
            unit=unit,
            rounds=values,
        )
        for (case, count, subject, metric, unit), values in rounds.items()
    ]


def steps(plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    with tempfile.TemporaryDirectory() as directory:
        points = sum(1 for _ in cases(Path(directory)))
    each = points + len(CONCURRENCIES) * len(plan.subjects)
    return plan.rounds * len(plan.cores) * each


def _measure_cases(
    plan: Plan,
    number: int,
    cores: Sequence[int],
    curve: Sequence[Case],
    rounds: Rounds,
    advance: Callable[[str], None],
) -> None:
    with contextlib.ExitStack() as stack:
        sessions = [
            stack.enter_context(open_session(subject, TRIVIAL, cores))
            for subject in shuffled(plan.subjects, number)
        ]
        for session in sessions:
            session.run(payloads.USUAL, plan.invocations)
        for case in curve:
            advance(f"growth: {case.name}")
            for session in sessions:
                value = _median(session, case, plan.invocations)
                subject = session.subject.name
                rounds[case.name, len(cores), subject, "p50", "µs"].append(value)


def _median(session: Session, case: Case, invocations: int) -> float:
    """Return the median microseconds; the larger, the fewer."""
    affordable = BYTES_A_ROUND // (case.size + 1)
    count = max(min(invocations, affordable), 5)
    session.run(case.payload, max(count // 4, 2))
    return quantile(_times(session.run(case.payload, count)), 0.5)


def _measure_concurrency(
    plan: Plan,
    number: int,
    cores: Sequence[int],
    payload: Path,
    rounds: Rounds,
    advance: Callable[[str], None],
) -> None:
    for concurrency in CONCURRENCIES:
        count = max(plan.invocations // 4, 1) * min(concurrency, 16)
        environ = {"AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency)}
        for subject in shuffled(plan.subjects, number):
            advance(f"growth: {concurrency} at once")
            with open_session(subject, TRIVIAL, cores, environ=environ) as session:
                session.run(payload, concurrency * 2)
                report = session.run(payload, count)
            key = f"{concurrency} at once, {WAIT} ms each", len(cores), subject.name
            span = (max(report.replied) - min(report.sent)) / 1e9
            rounds[*key, "throughput", "/s"].append(count / span)
            rounds[*key, "p99", "µs"].append(quantile(_times(report), 0.99))


def _times(report: Report) -> list[float]:
    pairs = zip(report.sent, report.replied, strict=True)
    return [(replied - sent) / MICROSECOND for sent, replied in pairs]
