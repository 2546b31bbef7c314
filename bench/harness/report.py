"""Results as tables: the median of the rounds, the middle half of them, a ratio."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bench.harness.results import Results, Series
from bench.harness.subjects import NATIVE, PEER

Place = tuple[str, str, int, str]

SETS = SAME, VARIED = "same event", "varied events"
PAGE_ROWS = (
    ("an invocation, the same event each time: median", "invoke", SAME, "p50"),
    ("the same, 99th percentile", "invoke", SAME, "p99"),
    ("an invocation, no two events alike: median", "invoke", VARIED, "p50"),
    ("the same, 99th percentile", "invoke", VARIED, "p99"),
    ("its instructions, the same event each time", "counts", "instructions", SAME),
    ("its instructions, no two events alike", "counts", "instructions", VARIED),
    ("1 MB of text in", "growth", "1 MB text in", "p50"),
    ("1 MB of binary in", "growth", "1 MB binary in", "p50"),
    ("4.5 MB of text in", "growth", "4.5 MB text in", "p50"),
    ("4.5 MB of binary in", "growth", "4.5 MB binary in", "p50"),
    ("4.5 MB of binary in and out", "growth", "4.5 MB binary in and out", "p50"),
    ("64 at once that wait 20 ms", "growth", "64 at once, 20 ms each", "throughput"),
    ("cold start of a trivial application", "cold-start", "trivial", "to the reply"),
    ("cold start of FastAPI under uvicorn", "cold-start", "FastAPI", "to the reply"),
    (
        *("instructions of a start, beside a trivial application", "counts"),
        *("instructions", "from exec to serving"),
    ),
    ("memory after one invocation", "memory", "after 1 invocations", "PSS"),
    ("the same, after 100,000 of them", "memory", "after 100,000 invocations", "PSS"),
)
PAGE_MARK = "<!-- `make bench` writes this table -->"


def tables(results: Results) -> Iterator[str]:
    """Return the lines of a run's tables, and where they are from.

    A ratio is to the subject that was named last: to LWA unless told otherwise.
    """
    rows: list[tuple[str, ...]] = []
    for (bench, case, cores, metric), group in _places(results):
        for each in group:
            where = bench, case, f"{cores} core{'s' * (cores > 1)}", metric
            value = f"{interval(each.rounds)} {each.unit}".strip()
            peer = group[-1]
            ratio = "" if each is peer else f"x {_ratio(each, peer)}"
            rows.append((*where, each.subject, value, ratio))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()
    origin = results.origin
    yield f"{origin.machine}; commit {origin.commit}"


def renew(page: str, results: Results) -> str:
    """Return docs/benchmarks.md with the table of a full run."""
    found = dict(_places(results))
    table = ["| | One core | Two cores |", "|---|---|---|"]
    for title, bench, case, metric in PAGE_ROWS:
        cells = [_cell(found.get((bench, case, cores, metric), ())) for cores in (1, 2)]
        if any(cells):
            table.append(f"| {title} | {cells[0]} | {cells[1]} |")
    return replace_table(page, PAGE_MARK, table)


def replace_table(page: str, mark: str, rows: Iterable[str]) -> str:
    """Return a page with another table below a mark; it ends with an empty line."""
    before, mark, rest = page.partition(mark)
    _, end, after = rest.partition("\n\n")
    return "\n".join([before + mark, *rows]) + end + after


def _cell(group: Sequence[Series]) -> str:
    """Return our median and its ratio to LWA's."""
    by_name = {each.subject: each for each in group}
    if not {NATIVE, PEER} <= by_name.keys():
        return ""
    ours = by_name[NATIVE]
    median = interval([statistics.median(ours.rounds)])
    return f"{median} {ours.unit}, {_ratio(ours, by_name[PEER])}"


def _places(results: Results) -> Iterator[tuple[Place, list[Series]]]:
    for place, group in groupby(results.series, lambda each: each.place):
        yield place, list(group)


def ratios(own: Sequence[float], peer: Sequence[float]) -> list[float]:
    """Return the ratio in each round: what slows a whole round cancels out."""
    return [value / other for value, other in zip(own, peer, strict=True)]


def _ratio(own: Series, peer: Series) -> str:
    """Return the ratio to a peer, and between which the middle half of them lies."""
    if not all(peer.rounds):
        return "\N{EN DASH}"
    return interval(ratios(own.rounds, peer.rounds), ".2f")


def interval(values: Sequence[float], form: str = "") -> str:
    """Return the median, and between which values the middle half of them lies."""
    median = statistics.median(values)
    # Three significant digits, and those before the point.
    form = form or next((f",.{n}f" for n in range(3) if median >= 10 ** (2 - n)), ".3f")
    if len(values) == 1:
        return f"{median:{form}}"
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:{form}} [{low:{form}}..{high:{form}}]"
