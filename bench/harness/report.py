"""Results as tables: a line for each series, its median, interval and ratio."""

from collections.abc import Iterable, Iterator

from bench.harness.results import Results, Series
from bench.harness.stats import Estimate, estimate, ratios
from bench.harness.subjects import OURS, PEER

TITLES = {
    "invoke": "An invocation: from the event's first byte to the reply's last",
    "cold-start": "A cold start: from exec",
    "growth": "An invocation as it grows",
    "memory": "Memory of the adapter's process",
    "codec": "Translation alone",
    "counts": "Counts, which have no noise",
}


def lines(results: Results) -> Iterator[str]:
    """Return the tables of a run, what is missing in them, and the machine."""
    for bench, title in TITLES.items():
        series = [each for each in results.series if each.bench == bench]
        if series:
            yield f"\n{title}"
            yield from _table(series)
    for missing in results.missing:
        yield f"\n{missing.subject}: missing: {missing.why}"
    machine = results.machine
    versions = [f"{name} {version}" for name, version in machine.versions.items()]
    yield (
        f"\n{machine.cpu}, {machine.cores} cores, {machine.memory_mb:,} MB,"
        f" Linux {machine.kernel}, {machine.python}\n"
        f"{', '.join(versions)}; commit {machine.commit}"
    )


def _table(series: list[Series]) -> Iterator[str]:
    """Return the lines of one measurement, those to be compared one below the other."""
    found = {
        (each.case, each.cores, each.metric, each.subject): each for each in series
    }
    places = list(dict.fromkeys(key[:3] for key in found))
    rows: list[tuple[str, ...]] = []
    for key in sorted(found, key=lambda key: (places.index(key[:3]), _rank(key[3]))):
        own = found[key]
        cores = f"{own.cores} core{'s' * (own.cores > 1)}"
        value = _interval(estimate(own.rounds), own.unit)
        peer = found.get((*key[:3], own.peer))
        ratio = ""
        if peer and peer is not own and all(peer.rounds):
            ratio = f"x {_interval(estimate(ratios(own.rounds, peer.rounds)))}"
        rows.append((own.case, cores, own.metric, own.subject, value, ratio))
    return _aligned(rows)


def _rank(subject: str) -> tuple[bool, bool, str]:
    """Put ours first, the peer next, the others after them."""
    return not subject.startswith(OURS), subject != PEER, subject


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells: Iterable[str] = map(str.ljust, row, widths)
        yield "  ".join(cells).rstrip()


def _interval(value: Estimate, unit: str = "") -> str:
    text = f"{_number(value.median)} {unit}".strip()
    if value.low == value.high:
        return text
    return f"{text} [{_number(value.low)}..{_number(value.high)}]"


def _number(value: float) -> str:
    """Write a number with three significant digits."""
    digits = next((n for n, limit in enumerate((100, 10, 1)) if abs(value) >= limit), 3)
    return f"{value:,.{digits}f}"
