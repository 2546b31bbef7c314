"""What an invocation costs as it grows: bodies, fields, queries, concurrency."""

from collections.abc import Iterator
from statistics import median, quantiles

from bench.harness.events import SAME, http_api
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import TRIVIAL, Subject

DEFAULTS = Defaults(("native", "LWA"), rounds=5, invocations=200, cores=(2,))

SIZES = {"1 KB": 1_000, "100 KB": 100_000, "1 MB": 1_000_000, "4.5 MB": 4_500_000}
TEXT = b'The quick brown fox said "jump" to the lazy dogs.\n'
BINARY = bytes(range(250, 0, -1))
FIELDS = (10, 100)
QUERIES = (100, 4_000)
CONCURRENCIES = (1, 8, 64)
WAIT = 20
"""Milliseconds that the application waits in the cases of concurrency."""

BYTES_PER_ROUND = 40_000_000
"""Bytes of events after which a case has been invoked often enough."""


def measure(run: Run) -> None:
    """Measure the median of each case, and throughput and p99 by concurrency."""
    cases = dict(_cases())
    for cores, subject in run.turns():
        with open_session(subject, TRIVIAL) as session:
            session.run([SAME], run.invocations)
            for case, event in cases.items():
                count = max(min(run.invocations, BYTES_PER_ROUND // len(event)), 1)
                session.run([event], max(count // 4, 1))
                value = median(session.run([event], count).times)
                run.add(case, cores, "p50", "µs", subject.name, value)
        for concurrency in CONCURRENCIES:
            _measure_concurrency(run, cores, subject, concurrency)


def _cases() -> Iterator[tuple[str, bytes]]:
    for size, length in SIZES.items():
        for path, case in ("/sink", "in"), ("/text", "in and out"):
            yield f"{size} text {case}", http_api(path, TEXT * (length // len(TEXT)))
        for path, case in ("/sink", "in"), ("/binary", "in and out"):
            event = http_api(path, BINARY * (length // len(BINARY)), is_binary=True)
            yield f"{size} binary {case}", event
    for count in FIELDS:
        fields = {f"x-field-{number}": f"value {number}" for number in range(count)}
        yield f"{count} more fields", http_api(headers=fields)
    for length in QUERIES:
        query = ("name=value&" * length)[:length]
        yield f"query of {length:,} B", http_api(f"/?{query}")


def _measure_concurrency(
    run: Run, cores: int, subject: Subject, concurrency: int
) -> None:
    count = max(run.invocations // 4, 2) * min(concurrency, 16)
    events = [http_api(f"/wait/{WAIT}")]
    environ = {"AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency)}
    with open_session(subject, TRIVIAL, environ=environ) as session:
        session.run(events, concurrency * 2)
        report = session.run(events, count)
    case = f"{concurrency} at once, {WAIT} ms each"
    span = (max(report.replied) - min(report.sent)) / 1e9
    p99 = quantiles(report.times, n=100, method="inclusive")[98]
    run.add(case, cores, "throughput", "/s", subject.name, count / span)
    run.add(case, cores, "p99", "µs", subject.name, p99)
